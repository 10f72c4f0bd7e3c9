"""Looks at the status page in Chromium: check_page.py CHROMIUM URL FOLDER ID ...

Prints "ok: WHAT" or "FAIL: WHAT" for each check. Where the server has to do something first, it
prints "do: WHAT" and goes on when it has read a line. Pictures of the page go to FOLDER.
"""
import base64
import pathlib
import sys

from devtools import Browser

path, url, folder, *ids = sys.argv[1:]
failures = 0


def check(what: str, holds, detail="") -> None:
    global failures
    failures += not holds
    print(f"ok: {what}" if holds else f"FAIL: {what} {detail}", flush=True)


def ask(what: str) -> None:
    print(f"do: {what}", flush=True)
    sys.stdin.readline()


def photograph(browser: Browser, name: str) -> None:
    picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
    data = base64.b64decode(picture)
    (pathlib.Path(folder) / f"status-{name}.png").write_bytes(data)
    check(f"picture {name}", len(data) > 30_000, f"{len(data)} bytes: an empty page?")


def resize(browser: Browser, width: int) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
        mobile=False)


def pictures_are_loaded(rows: str) -> str:
    return f"""(() => {{
        const images = [...document.querySelectorAll("{rows}")];
        for (const image of images) image.loading = "eager";
        return images.length > 0 && images.every(i => i.complete && i.naturalWidth === 96);
    }})()"""


def look(browser: Browser) -> None:
    missing = [i for i in ids if not browser.evaluate(f"!!document.getElementById('job-{i}')")]
    check("rows", not missing, missing)
    check("thumbnails", browser.wait(pictures_are_loaded(".card img")))
    title = browser.evaluate("document.title")
    check("title", title == "Turbine: 2 running, 123 waiting", title)
    check("hostile text is text", browser.evaluate("""
        document.querySelectorAll("body script").length === 1 &&
        !document.querySelector("img[src=x]") && !document.querySelector("main i, main b b") &&
        document.body.textContent.includes("<script>document.title='owned'")"""))
    check("lost is hidden", browser.evaluate("document.getElementById('lost').hidden"))
    check("progress", browser.evaluate(
        "document.querySelector('#job-39 progress').position.toFixed(3)") == "0.313")


def look_at_sizes(browser: Browser) -> None:
    light = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    photograph(browser, "light")
    for width in (320, 390, 800):
        resize(browser, width)
        overflow = browser.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(f"fits {width}", overflow == 0, f"by {overflow} pixels")
        if width == 390:
            photograph(browser, "narrow")
    resize(browser, 1180)
    browser.call("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": "dark"}])
    dark = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    check("dark", dark != light, dark)
    photograph(browser, "dark")


def look_live(browser: Browser) -> None:
    browser.evaluate(
        "window.mark = 1; window.kept = document.querySelector('#job-30 img'); 0")
    ask("change")
    check("a job that ends appears", browser.wait(
        "document.querySelector('.card#job-40') !== null"))
    check("its thumbnail", browser.wait(pictures_are_loaded("#job-40 img")))
    check("without a reload", browser.evaluate("window.mark === 1"))
    check("pictures stay", browser.evaluate("window.kept.isConnected"))
    check("no complaints", not browser.messages, browser.messages)
    ask("stop")
    check("a lost broker is told", browser.wait("!document.getElementById('lost').hidden"))
    check("the last state stays", browser.evaluate("!!document.getElementById('job-41')"))
    ask("start")
    check("a broker that is back, too", browser.wait("document.getElementById('lost').hidden"))
    check("still without a reload", browser.evaluate("window.mark === 1"))


browser = Browser(path)
try:
    resize(browser, 1180)
    browser.call("Page.navigate", url=url)
    check("the page is there", browser.wait("document.querySelector('main h1') !== null"))
    look(browser)
    look_at_sizes(browser)
    look_live(browser)
finally:
    browser.close()
sys.exit(1 if failures else 0)
