import type { GatewaySettings, ProcessMessage } from "../processes/settings.ts";
import { type PipitFeedOptions, pipitFeed } from "./pipit-feed.ts";
import { type PageServer, servePage } from "./serve-page.ts";

/* The gateway: serves the page and its live updates, and is itself only a client of the services. */

// Ctrl-C reaches every process of a terminal; the parent stops us in order, and without a parent there is nothing to show.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));

const settings = JSON.parse(process.argv[2] ?? "") as GatewaySettings;
try {
  const page = await openPage(settings);
  process.once("SIGTERM", () => {
    void page.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error("The gateway could not stop in order:", error);
        process.exit(1);
      },
    );
  });
  tell({ type: "ready", url: page.url });
} catch (error) {
  tell({ type: "failed", reason: reasonOf(error, settings.port) });
  process.exit(1);
}

/** Joins the cluster as a client, and serves the page that shows it. */
async function openPage({ seeds, port }: PipitFeedOptions & { readonly port: number }): Promise<PageServer> {
  const feed = pipitFeed({ seeds });
  try {
    return await servePage({ feed, port });
  } catch (error) {
    await feed.close();
    throw error;
  }
}

function reasonOf(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "EADDRINUSE" ? `port ${port} is taken by another program; choose one with --port` : message;
}

function tell(message: ProcessMessage): void {
  process.send?.(message);
}
