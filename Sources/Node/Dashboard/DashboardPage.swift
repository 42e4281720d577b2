/// The frame of the dashboard; the script fills it.
enum DashboardPage {
    static let html = #"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Carillon</title>
        <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M8 1a4 4 0 0 0-4 4v4l-2 3h12l-2-3V5a4 4 0 0 0-4-4zM6 13a2 2 0 0 0 4 0z' fill='%233b73b9'/%3E%3C/svg%3E">
        <link rel="stylesheet" href="dashboard.css">
        <script type="module" src="dashboard.js"></script>
        </head>
        <body>
        <button type="button" class="skip" data-action="skip">Skip to the content</button>
        <header>
        <h1><a id="home" href="#/">Carillon</a></h1>
        <p id="where"></p>
        <nav id="views" aria-label="Views"></nav>
        <label class="namespace">Namespace <select id="namespace"></select></label>
        <p id="live" role="status"></p>
        </header>
        <div id="banner" role="alert"></div>
        <main id="main" tabindex="-1"><p>Asking the node …</p></main>
        <div id="flash" role="status" aria-live="polite"></div>
        <dialog id="ask" aria-labelledby="question">
        <p id="question"></p>
        <p class="buttons"><button type="button" id="no">No</button><button type="button" id="yes">Yes</button></p>
        </dialog>
        <noscript><p>This page needs JavaScript. Without it: <code>carillon cluster status</code>, or the
        <a href="openapi.json">HTTP interface</a>.</p></noscript>
        </body>
        </html>

        """#
}
