import { filesUnder, projectsUnder } from "./repository.ts";

/** Every test file of the repository that has one of `parts` in its path; all of them when there are no parts. */
export function testFiles(parts: readonly string[] = []): string[] {
  const projects = [...projectsUnder("packages"), ...projectsUnder("apps")];
  return [...projects.flatMap((path) => [`${path}/src`, `${path}/test`]), "scripts"]
    .flatMap(filesUnder)
    .filter((path) => path.endsWith(".test.ts"))
    .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)));
}
