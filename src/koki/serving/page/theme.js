// Before anything is painted: light or dark, as chosen here or as the device says.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return JSON.parse(localStorage.getItem("koki.theme"));
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const show = () => {
    const theme = chosen() ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    document.querySelector('meta[name="theme-color"]').content = theme === "dark" ? "#1a1613" : "#faf7f2";
  };
  show();
  dark.addEventListener("change", show);
  addEventListener("koki-theme", show);
})();
