// src/ -> the committed static files. No Tailwind: the prototype used only its reset, which is twelve lines of base.css.
// Targets are old Chinese web views (Chromium 87, Safari 14): nesting and media ranges are lowered, nothing is layered.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { Features, transform } from "lightningcss";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? path.join(here, "../src/liuke/interfaces/ui/static/liuke");
const source = (name) => fs.readFileSync(path.join(here, "src", name), "utf8");
const targets = { chrome: 87 << 16, android: 87 << 16, safari: 14 << 16, ios_saf: 14 << 16, firefox: 90 << 16 };

// Dark is written once, under [data-theme=dark]; the same rules then hold for "auto" in a dark system.
const autoDark = (css) =>
  css.replace(/^(\[data-theme=dark\][^{}]*)\{([^{}]*)\}/gm, (rule, selector, body) => {
    const auto = selector.replace(/\[data-theme=dark\]/g, "[data-theme=auto]");
    return `${rule}\n@media (prefers-color-scheme:dark){${auto}{${body}}}`;
  });

function css(name, ...parts) {
  const code = Buffer.from(autoDark(parts.map(source).join("\n")));
  const made = transform({ filename: name, code, minify: true, targets, include: Features.Nesting | Features.MediaRangeSyntax });
  for (const warning of made.warnings) console.warn(`${name}: ${warning.message}`);
  write(name, made.code);
}

function write(name, code) {
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(out, name), code);
  const kb = (n) => (n / 1024).toFixed(1).padStart(6);
  console.log(name.padEnd(12), kb(code.length), "KB raw", kb(zlib.gzipSync(code, { level: 9 }).length), "KB gzip");
}

css("app.css", "tokens.css", "base.css", "parts.css", "console.css", "outreach.css", "desk.css", "goods.css");
css("report.css", "tokens.css", "base.css", "parts.css", "report.css");
css("shop.css", "tokens.css", "base.css", "shop.css", "store.css");
for (const name of ["app.js", "shop.js", "seen.js"]) {
  const js = esbuild.buildSync({
    entryPoints: [path.join(here, "src", name)],
    bundle: true, minify: true, format: "iife", target: "es2019", legalComments: "none", write: false,
  });
  write(name, Buffer.from(js.outputFiles[0].contents));
}
