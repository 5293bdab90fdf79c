// PostgreSQL with pgvector, in this process: served on loopback until standard input ends, or, with a file, asked to
// read it by COPY. PGlite serves one connection at a time.
import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const db = await PGlite.create({ extensions: { vector } });
const [what, argument] = process.argv.slice(2);
if (what === 'copy') {
  await db.exec(`CREATE EXTENSION vector; CREATE TABLE pictures (key text NOT NULL, nth int NOT NULL,
    hash bytea NOT NULL, embedding halfvec(3) NOT NULL, origin text NOT NULL, columns jsonb NOT NULL,
    PRIMARY KEY (key, nth))`);
  const blob = new Blob([await readFile(argument)]);
  await db.query("COPY pictures FROM '/dev/blob' WITH (FORMAT binary)", [], { blob });
  const { rows } = await db.query(`SELECT key, nth, encode(hash, 'hex') AS hash, embedding::text, origin, columns
    FROM pictures ORDER BY key, nth`);
  for (const row of rows) console.log(JSON.stringify(row));
  process.exit(0);
}
const server = new PGLiteSocketServer({ db, port: Number(argument), host: '127.0.0.1' });
await server.start();
console.log('ready');
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
