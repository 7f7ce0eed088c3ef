const names = Object.keys(process.env)

if (names.includes('HOME')) {
  console.log('with an environment')
} else {
  console.log('without an environment')
}
