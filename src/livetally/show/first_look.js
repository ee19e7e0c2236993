// The first look is what the server knew when the page was asked for. It stays until Streamlit has drawn the page to its end.
(() => {
  const first = document.getElementById("first-look");
  const root = document.getElementById("root");
  const LONGEST_MS = 120000; // what is so old is no first look any more, whatever keeps the page from coming
  const isHeaded = () => root.querySelector("[data-testid=election], [data-testid=waiting]");
  const isWhole = () =>
    root.querySelector(".lt-footer, .lt-wall-foot, [data-testid=cannot-start], [role=dialog]") &&
    !root.querySelector("[data-testid=stSkeleton]"); // of another size than the control whose script is still on its way
  const leave = () => {
    watching.disconnect();
    const top = first.scrollTop;
    first.remove();
    const main = root.querySelector("[data-testid=stMain]");
    if (main) main.scrollTop = top;
  };
  const watching = new MutationObserver(() => {
    if (isHeaded() && !first.ariaHidden) {
      // From here on every mark is in the document once, and nothing is read out twice.
      first.ariaHidden = "true";
      for (const one of first.querySelectorAll("[data-testid]")) one.removeAttribute("data-testid");
    }
    if (isWhole()) leave();
  });
  watching.observe(root, { childList: true, subtree: true });
  setTimeout(leave, LONGEST_MS);
})();
