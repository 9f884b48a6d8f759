// Saves a chart as a picture that explains itself: title, legend, plot, and "N of M points".
import type { ChartColours } from "./series-colours.ts";

export interface PictureTexts {
  title: string;
  legend: readonly { text: string; colour: string }[];
  footer: string;
  colours: ChartColours;
}

const MARGIN = 16;
const TITLE = 28;
const LEGEND_ROW = 20;
const FOOTER = 24;

/** Draws and downloads a PNG of what the canvas shows now. */
export function saveChartPicture(source: HTMLCanvasElement, texts: PictureTexts): void {
  drawPicture(source, texts).toBlob((blob) => {
    if (blob === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${texts.title.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  }, "image/png");
}

function drawPicture(source: HTMLCanvasElement, texts: PictureTexts): HTMLCanvasElement {
  const ratio = devicePixelRatio;
  const legendHeight = texts.legend.length > 1 ? texts.legend.length * LEGEND_ROW : 0;
  const canvas = document.createElement("canvas");
  canvas.width = source.width + 2 * MARGIN * ratio;
  canvas.height = source.height + (2 * MARGIN + TITLE + legendHeight + FOOTER) * ratio;
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  const { colours } = texts;
  context.fillStyle = colours.surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(ratio, ratio);
  context.textBaseline = "middle";
  const family = getComputedStyle(document.body).fontFamily;
  let top = MARGIN + TITLE / 2;
  context.fillStyle = colours.text;
  context.font = `600 16px ${family}`;
  context.fillText(texts.title, MARGIN, top);
  context.font = `12px ${family}`;
  top = MARGIN + TITLE;
  if (legendHeight > 0)
    for (const { text, colour } of texts.legend) {
      context.fillStyle = colour;
      context.fillRect(MARGIN, top + LEGEND_ROW / 2 - 1, 12, 2);
      context.fillStyle = colours.text;
      context.fillText(text, MARGIN + 20, top + LEGEND_ROW / 2);
      top += LEGEND_ROW;
    }
  context.drawImage(source, MARGIN, top, source.width / ratio, source.height / ratio);
  context.fillStyle = colours.axis;
  context.fillText(texts.footer, MARGIN, top + source.height / ratio + FOOTER / 2);
  return canvas;
}
