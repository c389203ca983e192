// Serves the page, and hands /graphql on to the service: for a browser both come from one place.
import { createReadStream } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const { CREDITGRAPH_URL = 'http://127.0.0.1:8080', PORT = 8090 } = process.env;
const pages = { '/': ['index.html', 'text/html'], '/stream.mjs': ['stream.mjs', 'text/javascript'] };

const server = http.createServer((request, response) => {
  const page = pages[request.url];
  if (page) {
    response.writeHead(200, { 'Content-Type': `${page[1]}; charset=utf-8`, 'Cache-Control': 'no-store' });
    createReadStream(new URL(page[0], import.meta.url)).pipe(response);
  } else if (request.url === '/graphql') {
    handOn(request, response);
  } else {
    response.writeHead(404).end();
  }
});

function handOn(request, response) {
  const { request: send } = CREDITGRAPH_URL.startsWith('https:') ? https : http;
  const { host, ...headers } = request.headers;
  const onward = send(new URL('/graphql', CREDITGRAPH_URL), { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy()); // the service was cut off, so its reader is too
  });
  onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

server.listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
