import { pipitFeed, type PipitFeedOptions } from "./pipit-feed.ts";
import { type PageServer, servePage } from "./serve-page.ts";

/** Options of {@link startGateway}. */
export interface GatewayOptions extends PipitFeedOptions {
  /** TCP port of the page on loopback; 0 for any. Default 0. */
  readonly port?: number | undefined;
}

/**
 * Joins the cluster as a client, and serves the page that shows it.
 *
 * @throws Error of the system when the port cannot be bound
 */
export async function startGateway({ port, ...options }: GatewayOptions): Promise<PageServer> {
  const feed = pipitFeed(options);
  try {
    return await servePage({ feed, port });
  } catch (error) {
    await feed.close();
    throw error;
  }
}
