// Answers with what its children say: one that is forked, and one that gets no environment.
const { execFile, fork } = require('node:child_process')
const http = require('node:http')
const path = require('node:path')

const ask = (call) => new Promise((resolve, reject) => {
  call((error, text) => error ? reject(error) : resolve(text))
})

const forked = () => ask((done) => {
  fork(path.join(__dirname, 'forked.js')).on('message', (text) => done(null, text)).on('error', done)
})

const alone = () => ask((done) => {
  execFile(process.execPath, [path.join(__dirname, 'alone.js')], { env: {} }, done)
})

const never = () => {
  console.log('nobody calls this function')
}

const server = http.createServer(async (request, response) => {
  if (request.url === '/never') never()
  response.end(`${await forked()}\n${await alone()}`)
})

process.on('SIGTERM', () => {
  server.close()
  server.closeIdleConnections()
})
server.listen(8082, '127.0.0.1')
