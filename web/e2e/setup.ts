import { build, deployment, remove, sandbox } from './program';

/** setup starts what the tests look at, and gives back how to end it. */
export default async function setup() {
  const folder = build();
  const [world, real] = await Promise.all([sandbox(folder), deployment(folder)]);
  process.env.EXPLORER_SANDBOX = world.address;
  process.env.EXPLORER_DEPLOYMENT = real.address;
  process.env.EXPLORER_CLIENTS = JSON.stringify(real.clients);
  return async () => {
    await Promise.all([world.stop(), real.stop()]);
    remove(folder);
  };
}
