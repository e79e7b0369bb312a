import { defineConfig } from '@hey-api/openapi-ts';

// REELBASE_CLIENT_OUT: the stale check generates beside the committed code and compares.
export default defineConfig({
  input: '../../docs/api/openapi.v1.json',
  output: { path: process.env.REELBASE_CLIENT_OUT ?? 'src/generated', importFileExtension: '.js' },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
});
