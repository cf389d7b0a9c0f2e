/** The part of `package-lock.json` that matters here. */
export interface Lockfile {
  packages: Record<string, LockedPackage>;
}

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** How binary packages are named: `@turbo/windows-arm64`, `@oxlint/binding-linux-x64-musl`. */
const platformName =
  /[/-](?<os>android|darwin|freebsd|linux|openharmony|win32|windows)-(?<cpu>arm64|arm|ia32|ppc64|riscv64|s390x|x64|64)(-(?<abi>\w+))?$/;

/**
 * The optional packages that a lockfile names but does not lock, by the path they would have.
 *
 * npm leaves out those that a registry did not have when it wrote the lockfile, the binaries for other systems above
 * all, and then `npm ci` refuses the lockfile as incomplete.
 */
export function missingOptionals({ packages }: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isLocked(packages, parent, name)) continue;
      missing[`node_modules/${name}`] = {
        version,
        ...(dev === true ? { dev } : {}),
        optional: true,
        ...platformOf(name),
      };
    }
  }
  return missing;
}

/** Whether Node would find `name` from the package at `parent`. */
function isLocked(packages: Lockfile["packages"], parent: string, name: string): boolean {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === "") return false;
  }
}

function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const { os, cpu, abi = "" } = platformName.exec(name)?.groups ?? {};
  if (os === undefined || cpu === undefined) throw new Error(`Cannot tell the platform of ${name} from its name`);
  const libc = os !== "linux" || abi === "" ? {} : { libc: [abi.startsWith("musl") ? "musl" : "glibc"] };
  return { os: [os === "windows" ? "win32" : os], cpu: [cpu === "64" ? "x64" : cpu], ...libc };
}
