// When no refresh comes any more, the page says so itself: who would have said it may be what is away. What it changes here is put
// right by the next refresh, which writes all of it anew.
(() => {
  const LOOK_MS = 1000;
  const REFRESHES_MISSED = 2;
  const SLACK_MS = 5000; // a busy server is late, and has not gone
  let seen = "";
  let since = Date.now(); // not the time that this page was awake: a computer that slept has old numbers

  const length = (s) => (s < 120 ? `${Math.floor(s)} s` : s < 7200 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`);

  const say = (quietS) => {
    for (const badge of document.querySelectorAll(".lt-badge")) {
      badge.className = "lt-badge lt-badge-unknown";
      const [mark, words] = badge.children;
      mark.textContent = "?";
      words.dataset.state = "unknown";
      words.textContent = `Not known: no news for ${length(quietS)}`;
    }
    for (const old of document.querySelectorAll("[data-old-s]")) old.textContent = `${length(Number(old.dataset.oldS) + quietS)} old`;
    for (const quiet of document.querySelectorAll("[data-testid=quiet]")) quiet.textContent = length(quietS);
    for (const lost of document.querySelectorAll(".lt-lost")) lost.hidden = false;
  };

  setInterval(() => {
    const mark = document.querySelector("#root [data-refreshed]") ?? document.querySelector("[data-refreshed]");
    if (!mark || mark.dataset.refreshed !== seen) {
      seen = mark ? mark.dataset.refreshed : "";
      since = Date.now();
      return;
    }
    const quietMs = Date.now() - since;
    if (quietMs > REFRESHES_MISSED * 1000 * Number(mark.dataset.everyS) + SLACK_MS) say(quietMs / 1000);
  }, LOOK_MS);
})();
