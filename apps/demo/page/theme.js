/*
 * Light, dark, or as the system says. The choice is an attribute of the document: the style sheet does the rest, and whoever draws on a canvas
 * listens to the event "themechange".
 */
(() => {
  const key = "pipit-theme";
  const choices = ["system", "light", "dark"];
  const root = document.documentElement;

  function stored() {
    try {
      return localStorage.getItem(key) ?? "system";
    } catch {
      return "system"; // storage may be forbidden; the page works without
    }
  }

  /** @param {string} choice */
  function apply(choice) {
    root.dataset.theme = choice;
    const button = document.getElementById("theme");
    if (button !== null) button.textContent = { light: "Light", dark: "Dark" }[choice] ?? "Auto";
    dispatchEvent(new Event("themechange"));
  }

  apply(stored());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(stored()));
  addEventListener("DOMContentLoaded", () => {
    apply(stored());
    document.getElementById("theme")?.addEventListener("click", () => {
      const next = choices[(choices.indexOf(stored()) + 1) % choices.length] ?? "system";
      try {
        localStorage.setItem(key, next);
      } catch {
        // then it holds until the page is loaded again
      }
      apply(next);
    });
  });
})();
