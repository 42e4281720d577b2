extension DashboardScript {
    /// What the views are made of.
    static let parts = #"""
        const dash = () => h('span', { class: 'none' }, '–');
        const orDash = (value) => value === null || value === undefined ? dash() : value;
        const two = (number) => String(number).padStart(2, '0');

        /** In the reader's zone; the instant itself is in the title. */
        function time(text) {
          if (!text) return dash();
          const at = new Date(text);
          if (Number.isNaN(at.getTime())) return String(text);
          const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
          const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
          const isToday = at.toDateString() === new Date().toDateString();
          return h('time', { datetime: text, title: text }, isToday ? clock : `${day} ${clock}`);
        }

        const tones = {
          succeeded: 'good', live: 'good', leader: 'good', closed: 'good', done: 'good',
          running: 'busy', ready: 'busy', follower: 'good',
          scheduled: 'soft', blocked: 'soft', cancelled: 'soft', learner: 'warn',
          draining: 'warn', paused: 'warn', halfOpen: 'warn', joining: 'warn', leaving: 'warn', expired: 'warn',
          dead: 'bad', lost: 'bad', open: 'bad', failed: 'bad', timeout: 'bad', away: 'bad',
        };

        const standing = (name) => h('span', { class: 'state', 'data-tone': tones[name] }, name);

        /** `label` says of what, for those who don't see the row. */
        const button = (text, action, name, label) => h('button', {
          type: 'button', 'data-action': action, 'data-name': name, 'data-key': action,
          'aria-label': label ?? (name ? `${text} ${name}` : null),
        }, text);

        const link = (text, path, query) => h('a', { href: to(path, query) }, text);

        const taskLink = (id) => id ? link(id, `tasks/${encoded(id)}`) : dash();

        /**
         * `columns`: a heading and what stands in it for an item, perhaps of a class. Rows are told apart by `key`.
         */
        function table(caption, items, key, columns, none) {
          if (items.length === 0) return h('p', { class: 'none' }, none);
          return h('div', { class: 'scroll' }, h('table', { 'aria-label': caption },
            h('thead', {}, h('tr', {}, columns.map(([heading, , kind]) => h('th', { scope: 'col', class: kind }, heading)))),
            h('tbody', {}, items.map((item) => h('tr', { 'data-key': key(item) },
              columns.map(([, cell, kind]) => h('td', { class: kind }, orDash(cell(item)))))))));
        }

        const facts = (rows) => h('dl', {}, rows.filter(Boolean).map(([name, value]) =>
          [h('dt', {}, name), h('dd', {}, orDash(value))]));

        const json = (value) => h('pre', { tabindex: '0' }, JSON.stringify(value, null, 2));

        const field = (label, name, value, kind = 'search') => h('label', { 'data-key': name }, label,
          h('input', { type: kind, name, value: value ?? '', 'data-value': value ?? '', autocomplete: 'off', spellcheck: 'false' }));

        const choice = (label, name, value, names) => h('label', { 'data-key': name }, label,
          h('select', { name, 'data-value': value ?? '' }, h('option', { value: '' }, 'all'),
            names.map((each) => h('option', { value: each, selected: each === value }, each))));

        /** What is entered becomes part of the address, so that it can be sent to others and gone back from. */
        const filter = (path, ...controls) => h('form', { class: 'filter', 'data-path': path, 'data-key': path, role: 'search' }, controls,
          h('button', { type: 'submit' }, 'Filter'),
          h('a', { href: to(path) }, 'clear'));

        /** From one page of a list to the next. The way back is the browser's. */
        function pages(path, query, next) {
          const given = Object.fromEntries(query);
          const { cursor, ns, ...rest } = given;
          if (!cursor && !next) return null;
          return h('p', { class: 'pages' },
            cursor && h('a', { href: to(path, rest) }, 'First page'),
            next && h('a', { href: to(path, { ...rest, cursor: next }) }, 'Next page'));
        }

        const heading = (text) => h('h2', {}, text);

        """#
}
