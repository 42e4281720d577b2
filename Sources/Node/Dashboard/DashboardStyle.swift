enum DashboardStyle {
    static let css = #"""
        :root {
          color-scheme: light dark;
          --ink: #1d2630;
          --soft: #5b6875;
          --line: #d9dee4;
          --ground: #ffffff;
          --raised: #f5f7f9;
          --link: #22588f;
          --good: #1c6b3a;
          --busy: #22588f;
          --warn: #8a5a00;
          --bad: #a32525;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ink: #dde3ea;
            --soft: #94a1af;
            --line: #323b45;
            --ground: #14181d;
            --raised: #1c2229;
            --link: #86b7ec;
            --good: #6cc48c;
            --busy: #86b7ec;
            --warn: #e0b050;
            --bad: #f08a8a;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; padding: 0 1rem 4rem; max-width: 90rem;
          font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground);
        }
        a { color: var(--link); }
        h1 { font-size: 1.15rem; margin: 0; }
        h1 a { color: inherit; text-decoration: none; }
        h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
        h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
        p { margin: .4rem 0; }
        header {
          display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: center;
          padding: .7rem 0; border-bottom: 1px solid var(--line);
        }
        header p { margin: 0; color: var(--soft); }
        nav { display: flex; flex-wrap: wrap; gap: .1rem .9rem; flex: 1 1 24rem; }
        nav a { text-decoration: none; padding: .2rem 0; border-bottom: 2px solid transparent; }
        nav a[aria-current] { color: inherit; border-color: var(--link); }
        #live::before { content: "●"; margin-right: .35rem; color: var(--soft); }
        #live[data-state="live"]::before { color: var(--good); }
        #live[data-state="polling"]::before { color: var(--warn); }
        #live[data-state="lost"]::before { color: var(--bad); }
        #banner:empty { display: none; }
        #banner {
          margin: .8rem 0; padding: .6rem .9rem; border: 1px solid var(--warn); border-radius: 6px;
          background: var(--raised);
        }
        #banner p { margin: .2rem 0; }
        #flash:empty { display: none; }
        #flash {
          position: fixed; left: 50%; bottom: 1.2rem; transform: translateX(-50%); max-width: min(46rem, 92vw);
          padding: .6rem 1rem; border: 1px solid var(--line); border-radius: 6px; background: var(--raised);
          box-shadow: 0 3px 14px #0003; overflow-wrap: anywhere;
        }
        #flash[data-tone="bad"] { border-color: var(--bad); }
        main { outline: none; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
        th { font-weight: 600; color: var(--soft); white-space: nowrap; }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
        td.actions, th.actions { white-space: nowrap; text-align: right; padding-right: 0; }
        td.text { overflow-wrap: anywhere; min-width: 12rem; }
        td time { white-space: nowrap; font-variant-numeric: tabular-nums; }
        .none { color: var(--soft); }
        .tiles { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; margin: .4rem 0; list-style: none; }
        .tiles a {
          display: block; min-width: 7rem; padding: .5rem .8rem; border: 1px solid var(--line); border-radius: 6px;
          background: var(--raised); color: inherit; text-decoration: none;
        }
        .tiles b { display: block; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
        .state { white-space: nowrap; }
        .state::before { content: "●"; margin-right: .35rem; font-size: .8em; color: var(--soft); }
        .state[data-tone="good"]::before { color: var(--good); }
        .state[data-tone="busy"]::before { color: var(--busy); }
        .state[data-tone="warn"]::before { color: var(--warn); }
        .state[data-tone="bad"]::before { color: var(--bad); }
        form.filter { display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: end; margin: .8rem 0; }
        form.filter label { display: grid; gap: .15rem; color: var(--soft); font-size: .88rem; }
        input, select, button {
          font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 5px;
          padding: .22rem .55rem;
        }
        button { background: var(--raised); cursor: pointer; }
        button:hover { border-color: var(--soft); }
        button:disabled { color: var(--soft); cursor: default; }
        button + button { margin-left: .4rem; }
        :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: .6rem 0; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; }
        pre {
          margin: .3rem 0; padding: .6rem .8rem; max-height: 26rem; overflow: auto; white-space: pre-wrap;
          overflow-wrap: anywhere; background: var(--raised); border: 1px solid var(--line); border-radius: 6px;
          font: 13px/1.45 ui-monospace, monospace;
        }
        progress { width: 12rem; vertical-align: middle; }
        dialog { max-width: 32rem; padding: 1.1rem 1.3rem; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; }
        dialog::backdrop { background: #0006; }
        .buttons { margin-top: .9rem; }
        .pages { display: flex; gap: 1rem; margin: .8rem 0; }
        .skip { position: absolute; left: -99rem; }
        .skip:focus { left: 1rem; top: .5rem; z-index: 1; }

        """#
}
