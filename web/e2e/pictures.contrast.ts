// Whether text stands out from its ground, as WCAG 2 counts it.
import type { Page } from '@playwright/test';

/** Colour is red, green and blue from 0 to 255, and how much of what is behind it can not be seen, from 0 to 1. */
export type Colour = [number, number, number, number];

/** Text is a piece of text on the page, with its colour and those of the grounds behind it, the nearest first. */
interface Text {
  text: string;
  colour: Colour;
  grounds: Colour[];
}

const least = 4.5; // for text of the usual size

/** lowContrast is every text of the panes that does not stand out enough, with how much it does. */
export async function lowContrast(page: Page): Promise<string[]> {
  const texts = await page.evaluate(collectTexts);
  if (texts.length === 0) return ['there is no text'];
  return texts.map(({ text, colour, grounds }) => ({ text, ratio: contrast(over(colour, grounds), over([0, 0, 0, 0], grounds)) }))
    .filter(({ ratio }) => ratio < least)
    .map(({ text, ratio }) => `${text}: ${ratio.toFixed(2)}`);
}

/** collectTexts runs in the page. */
function collectTexts(): Text[] {
  const parse = (css: string): Colour => {
    const [r, g, b, a = 1] = (css.match(/[\d.]+/g) ?? []).map(Number);
    return [r, g, b, a];
  };
  const found: Text[] = [];
  const walker = document.createTreeWalker(document.querySelector('.pictures')!, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent?.trim();
    const owner = walker.currentNode.parentElement!;
    if (!text || owner.closest('svg, option, button:disabled') || owner.getClientRects().length === 0) continue;
    const grounds: Colour[] = [];
    for (let node: Element | null = owner; node; node = node.parentElement) grounds.push(parse(getComputedStyle(node).backgroundColor));
    found.push({ text, colour: parse(getComputedStyle(owner).color), grounds });
  }
  return found;
}

/** over is what is seen of a colour in front of grounds, on white paper. */
export function over(colour: Colour, grounds: Colour[]): number[] {
  return [colour, ...grounds].reduceRight((behind, [r, g, b, a]) => [r, g, b].map((part, i) => part * a + behind[i] * (1 - a)), [255, 255, 255]);
}

/** contrast is how much two colours differ, from 1 to 21. */
export function contrast(a: number[], b: number[]): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: number[]): number {
  const [r, g, b] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
