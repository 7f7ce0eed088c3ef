// The application behind nginx. brood sends TERM to the whole process group, so it comes here straight: npm alone would
// hand it to the shell that it runs this in, which does not pass it on. Should it come twice, nothing is left to do.
const http = require('node:http')

const server = http.createServer((request, response) => {
  response.end(`hello from node ${process.pid}\n`)
})

const stop = () => {
  server.close()
  server.closeIdleConnections()
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
server.listen(8081, '127.0.0.1')
