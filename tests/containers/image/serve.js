// Serves nothing: says that it is there, and ends when it is asked to. The timer keeps it alive.
process.on('SIGTERM', () => process.exit(0))
setInterval(() => {}, 3600e3)
console.log(`serving, FOO is ${process.env.FOO}`)
