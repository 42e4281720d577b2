extension DashboardScript {
    /// The cluster, counts, and what happens.
    static let overview = #"""
        const taskStates = ['scheduled', 'blocked', 'ready', 'running', 'succeeded', 'dead', 'cancelled', 'expired'];
        const recentShown = 15;
        const eventsShown = 200;

        /** Another node's dashboard. */
        function memberLink(member) {
          if (!member.api || !/^[\w.:\[\]-]+$/.test(member.api)) return member.id;
          return h('a', { href: `${location.protocol}//${member.api}/${location.hash}` }, member.id);
        }

        function members(cluster) {
          const isHere = (member) => member.id === cluster.node;
          return [
            table('Members', cluster.members, (member) => member.id, [
              ['Node', (member) => isHere(member) ? [member.id, ' (this one)'] : memberLink(member)],
              ['Role', (member) => [standing(member.role), member.change ? [', ', standing(member.change)] : null]],
              ['Alive', (member) => member.alive ? 'yes' : standing('away')],
              ['Stored up to', (member) => member.match, 'number'],
              ['Behind by', (member) => member.lag, 'number'],
              ['Address', (member) => member.api],
            ], 'No member is known.'),
            h('p', { class: 'none' }, `Term ${cluster.term}, agreed on up to ${cluster.commit}, shown up to ${cluster.applied}.`,
              cluster.leader && cluster.leader !== cluster.node
                ? ` How far the others are is known to the leader, ${cluster.leader}.` : null),
          ];
        }

        /** From the figures for Prometheus: tasks of the whole cluster, by state. */
        async function counts() {
          const text = await send('GET', new URL('metrics', document.baseURI));
          const found = new Map();
          for (const [, state, count] of text.matchAll(/^carillon_tasks\{state="(\w+)"\} (\d+)/gm)) found.set(state, Number(count));
          return found;
        }

        function happening(events) {
          return table('Events', events, (event) => event.id, [
            ['Time', (event) => time(event.time)],
            ['Event', (event) => event.type],
            ['Of', (event) => event.task ? taskLink(event.task)
              : event.schedule ? link(event.schedule, `schedules/${encoded(event.schedule)}`)
              : event.queue ?? event.worker],
            ['Details', (event) => [
              event.handler, event.task && event.schedule && `schedule ${event.schedule}`,
              event.task && event.queue && `queue ${event.queue}`, event.attempt && `attempt ${event.attempt}`,
              event.task && event.worker && `on ${event.worker}`, event.reason, event.count > 1 && `${event.count} times`,
              event.breaker && `breaker ${event.breaker}`, event.paused && 'paused',
              !event.task && event.state,
            ].filter(Boolean).join(', '), 'text'],
          ], 'Nothing has happened lately.');
        }

        async function overview() {
          const [found, events] = await Promise.all([counts(), recentEvents(recentShown)]);
          return [
            heading('Cluster'), members(known.cluster),
            heading('Tasks'),
            h('ul', { class: 'tiles' }, taskStates.map((state) => h('li', { 'data-key': state },
              link([standing(state), h('b', {}, found.get(state) ?? 0)], state === 'dead' ? 'dead' : 'tasks',
                state === 'dead' ? {} : { state })))),
            h('p', { class: 'none' }, 'Of all namespaces together.'),
            heading('Lately'), happening(events),
            h('p', {}, link('More events', 'events')),
          ];
        }

        const eventTypes = ['task', 'schedule', 'queue', 'worker'];

        async function events({ query }) {
          const wanted = ['type', 'task', 'queue', 'handler', 'schedule', 'worker'];
          const given = Object.fromEntries([...query].filter(([name]) => wanted.includes(name)));
          const found = await recentEvents(eventsShown, given);
          return [
            heading('Events'),
            filter('events', choice('About', 'type', query.get('type'), eventTypes),
              ...wanted.slice(1).map((name) => field(name[0].toUpperCase() + name.slice(1), name, query.get(name)))),
            happening(found),
          ];
        }

        """#
}
