/* Maps as pictures: positive numbers in the first colour of the book, negative ones in the second,
   and 0 in the colour of the paper. */
"use strict";

globalThis.networkMaps = () => {
  const LEVELS = 255; // of positive numbers, and as many of negative ones

  /* The colours of the style sheet as [red, green, blue], for the present theme. */
  const colours = () => {
    const style = getComputedStyle(document.getElementById("network"));
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    return Object.fromEntries(["paper", "first", "second"].map((name) => {
      context.fillStyle = style.getPropertyValue(`--${name}`).trim() || style.color;
      context.fillRect(0, 0, 1, 1);
      return [name, [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]];
    }));
  };
  const mixed = (from, to, share) =>
    from.map((part, index) => Math.round(part + share * (to[index] - part)));
  /* The colours of all levels from -LEVELS to LEVELS, up to a share of the full colour. */
  const scaleOf = ({ paper, first, second }, depth) =>
    Array.from({ length: 2 * LEVELS + 1 }, (_, index) => mixed(
      paper, index < LEVELS ? second : first, (depth * Math.abs(index - LEVELS)) / LEVELS));
  let scale, tints;
  const refresh = () => {
    const present = colours();
    [scale, tints] = [scaleOf(present, 1), scaleOf(present, 0.4)];
  };
  refresh();

  /* The level of a number, of which `most` is the largest size. The square root keeps small numbers
     visible. */
  const level = (value, most) => {
    const share = most ? Math.sqrt(Math.min(Math.abs(value) / most, 1)) : 0;
    return LEVELS + Math.round(value < 0 ? -LEVELS * share : LEVELS * share);
  };
  /* A tint on which text stays legible. */
  const tint = (value, most) => `rgb(${tints[level(value, most)].join(" ")})`;

  /* Draw a function of row and column. paint(value) returns [red, green, blue]. */
  const draw = (canvas, height, width, value, paint) => {
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    for (let r = 0, place = 0; r < height; r++)
      for (let s = 0; s < width; s++, place += 4) {
        const colour = paint(value(r, s));
        image.data[place] = colour[0];
        image.data[place + 1] = colour[1];
        image.data[place + 2] = colour[2];
        image.data[place + 3] = 255;
      }
    context.putImageData(image, 0, 0);
    return canvas;
  };
  const signed = (most) => (value) => scale[level(value, most)];
  const channel = (name) => (value) =>
    ["red", "green", "blue"].map((part) => (name === part || name === "grey" ? value : 0));

  return { draw, signed, channel, tint, refresh };
};
