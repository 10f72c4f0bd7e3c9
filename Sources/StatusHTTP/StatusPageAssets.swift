// The page's style and script, part of the page itself: nothing is loaded from elsewhere.

enum StatusPageAssets {
    /// The icon in the browser's tab: a wheel.
    static let icon =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        + "%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%232563eb' stroke-width='3' "
        + "stroke-dasharray='4.5 1.8'/%3E%3Ccircle cx='8' cy='8' r='2' fill='%232563eb'/%3E"
        + "%3C/svg%3E"

    /// Colours follow the reader's preference for light or dark.
    static let style = """
        :root{--bg:#f5f6f8;--card:#fff;--text:#1b1f24;--soft:#5d6673;--line:#dfe3e8;
        --accent:#2563eb;
        --good:#13795b;--goodbg:#d8f3e7;--warn:#8a5a00;--warnbg:#fdf0d0;--bad:#b3261e;
        --badbg:#fde3e1}
        @media(prefers-color-scheme:dark){:root{--bg:#12151a;--card:#1b2027;--text:#e7eaee;
        --soft:#9aa4b1;
        --line:#2d343e;--accent:#6ea0ff;--good:#6fdcb0;--goodbg:#123a2c;--warn:#f2c56b;
        --warnbg:#3b2e10;
        --bad:#ff9b94;--badbg:#461c1a}}
        *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);
        font:15px/1.45 system-ui,"Noto Sans","DejaVu Sans",sans-serif}
        main{max-width:1120px;margin:0 auto;padding:20px 16px 40px}
        header{display:flex;align-items:center;gap:14px;margin-bottom:16px;flex-wrap:wrap}
        h1{font-size:24px;margin:0}h2{font-size:13px;margin:0 0 10px;color:var(--soft);
        text-transform:uppercase;letter-spacing:.06em;font-weight:600}
        .state{margin:0;padding:3px 12px;border-radius:99px;font-weight:600}
        .good{background:var(--goodbg);color:var(--good)}.warn{background:var(--warnbg);
        color:var(--warn)}
        .bad{background:var(--badbg);color:var(--bad)}
        section{background:var(--card);border:1px solid var(--line);border-radius:12px;
        padding:16px;
        margin-bottom:16px}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:12px;
        padding:0;
        background:none;border:0}.tile{background:var(--card);border:1px solid var(--line);
        border-radius:12px;padding:14px 16px;display:flex;flex-direction:column}
        .tile h2{margin:0}.tile strong{font-size:28px;line-height:1.25;
        font-variant-numeric:tabular-nums}
        .tile small{color:var(--soft);min-height:1.4em}.alarm strong{color:var(--bad)}
        .scroll{overflow-x:auto}table{width:100%;border-collapse:collapse;white-space:nowrap}
        th{text-align:left;font-weight:500;color:var(--soft);font-size:13px}
        td,th{padding:6px 14px 6px 0}tbody tr{border-top:1px solid var(--line)}
        .n{text-align:right;font-variant-numeric:tabular-nums}td:last-child,
        th:last-child{padding-right:0}
        .badge{display:inline-block;padding:0 9px;border-radius:99px;font-size:13px;
        font-weight:600;
        background:var(--line);color:var(--soft)}.badge.ready{background:var(--goodbg);
        color:var(--good)}
        .badge.starting,.badge.draining{background:var(--warnbg);color:var(--warn)}
        .badge.failed{background:var(--badbg);color:var(--bad)}
        ol{list-style:none;margin:0;padding:0}.jobs li{padding:10px 0;
        border-top:1px solid var(--line)}
        .jobs li:first-child{border:0;padding-top:0}.jobs li:last-child{padding-bottom:0}
        .line{display:flex;gap:12px;justify-content:space-between;align-items:baseline}
        .title{font-weight:500;overflow-wrap:anywhere}.number{color:var(--soft);font-weight:400;
        font-variant-numeric:tabular-nums}.note{color:var(--soft);white-space:nowrap}
        .meta,.empty,footer{color:var(--soft);font-size:13px}.empty{margin:8px 0 0}
        progress{width:100%;height:8px;margin:8px 0 4px;appearance:none;border:0;
        border-radius:99px;
        overflow:hidden;background:var(--line);color:var(--accent)}
        progress::-webkit-progress-bar{background:var(--line)}
        progress::-webkit-progress-value{background:var(--accent)}
        progress::-moz-progress-bar{background:var(--accent)}
        .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(168px,1fr));gap:14px}
        @media(max-width:480px){.cards{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}
        main{padding:14px 10px 30px}section{padding:12px}}
        .card{border:1px solid var(--line);border-radius:10px;overflow:hidden}
        .picture{aspect-ratio:1;background:var(--line);display:grid;place-items:center;
        color:var(--soft);overflow:hidden;min-height:0}.picture img{width:100%;height:100%;
        object-fit:contain;display:block;min-height:0}
        .body{padding:10px 12px;display:grid;gap:6px;justify-items:start}
        .card .title{display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;
        overflow:hidden}
        h2 .alarm{color:var(--bad);text-transform:none;letter-spacing:0;margin-left:8px}
        code{background:var(--line);border-radius:5px;padding:1px 5px;overflow-wrap:anywhere}
        .soft{color:var(--soft);font-style:italic}
        .message{margin:0;color:var(--bad);font-size:13px;overflow-wrap:anywhere}
        footer{text-align:center;padding-top:4px}a{color:var(--accent)}
        #lost{position:fixed;left:50%;bottom:20px;transform:translateX(-50%);margin:0;
        padding:8px 18px;
        border-radius:99px;background:var(--badbg);color:var(--bad);font-weight:600}
        """

    /// Exchanges the main part for a new one; scripts in what `DOMParser` reads never run.
    static let script = """
        "use strict";
        (() => {
          const lost = document.getElementById("lost");
          const refresh = async () => {
            if (document.hidden) return;
            try {
              const answer = await fetch("/",
                {cache: "no-store", signal: AbortSignal.timeout(8000)});
              if (!answer.ok) throw new Error(answer.status);
              // The style is here already, and the new one has another nonce.
              const text = (await answer.text()).replace(/<style[^]*?<[/]style>/, "");
              const page = new DOMParser().parseFromString(text, "text/html");
              const images = new Map();
              for (const image of document.querySelectorAll("img"))
                images.set(image.getAttribute("src"), image);
              for (const image of page.querySelectorAll("img")) {
                const old = images.get(image.getAttribute("src"));
                if (old) image.replaceWith(old);
              }
              document.querySelector("main").replaceWith(page.querySelector("main"));
              document.title = page.title;
              lost.hidden = true;
            } catch {
              lost.hidden = false;
            }
          };
          const turn = async () => { await refresh(); setTimeout(turn, 2000); };
          setTimeout(turn, 2000);
          document.addEventListener("visibilitychange", refresh);
        })();
        """
}
