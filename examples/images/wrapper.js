// Runs before the server, in its process.
module.exports = (wrapper) => {
  console.log('wrapper: here I am')
  wrapper.runMain()
}
