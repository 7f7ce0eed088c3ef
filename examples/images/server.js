// What these images serve. At TERM it answers what it has begun with, says farewell and ends.
const server = require('node:http').createServer((request, response) => response.end('hello\n'))

process.on('SIGTERM', () => {
  server.close(() => console.log('server: bye'))
  server.closeIdleConnections()
})
server.listen(8080, () => console.log('server: ready'))
