// Choose the colours before the page is drawn: those that the reader chose, or those of the system.
"use strict";
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("minidl-theme");
  } catch {
    // a browser may refuse storage to pages from the disk
  }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
