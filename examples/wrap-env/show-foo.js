console.log(`FOO is ${process.env.FOO}`)
