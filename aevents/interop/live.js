// The page's side of aevents.interop.notebook.Live: the newest picture, the figures, and a button.

function render({ model, el }) {
  const image = document.createElement("img");
  image.alt = "newest picture";
  image.style.cssText = "display:block;max-width:100%;image-rendering:pixelated;background:#111318";
  const figures = document.createElement("code");
  figures.style.cssText = "display:block;margin:.4em 0;white-space:pre-wrap";
  const stop = document.createElement("button");
  stop.textContent = "Stop";
  stop.addEventListener("click", () => model.send("stop"));
  el.replaceChildren(image, figures, stop);

  let shown = "";
  function draw() {
    const picture = model.get("picture");
    if (!picture || !picture.byteLength) return;
    const address = URL.createObjectURL(new Blob([picture], { type: "image/png" }));
    image.src = address;
    if (shown) URL.revokeObjectURL(shown);
    shown = address;
  }
  function tell() {
    figures.textContent = model.get("figures");
    stop.disabled = !model.get("running");
  }
  model.on("change:picture", draw);
  model.on("change:figures change:running", tell);
  draw();
  tell();
  return () => {
    model.off("change:picture", draw);
    model.off("change:figures change:running", tell);
    if (shown) URL.revokeObjectURL(shown);
  };
}

export default { render };
