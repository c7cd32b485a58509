// What all who watch the same thing are told in one small file that the server writes, such as the
// curves of a run: a page asks for it once a moment, however many of its parts show it.

const LOST = 1 // second until it is asked for again where it was not found

const feeds = new Map()

// Calls show(content) whenever the element's file was asked for, with undefined where there is none.
// Called again, it changes the function; without an address it stops.
export function follow(element, address, show) {
  for (const [other, feed] of feeds) if (other !== address) leave(feed, element)
  if (!address) return
  const known = feeds.get(address), feed = known ?? { address, shows: new Map() }
  feeds.set(address, feed)
  feed.shows.set(element, show)
  if (!known) ask(feed)
}

async function ask(feed) {
  let content
  if (!document.hidden) {
    try {
      const response = await fetch(new URL(feed.address, document.baseURI), { cache: 'no-store' })
      if (response.ok) content = await response.json()
    } catch {} // the server is away; the page says so itself
    for (const show of feed.shows.values()) show(content)
  }
  if (feed.shows.size) feed.timer = setTimeout(ask, 1000 * (content?.seconds ?? LOST), feed)
}

function leave(feed, element) {
  if (!feed.shows.delete(element) || feed.shows.size) return
  clearTimeout(feed.timer)
  feeds.delete(feed.address)
}
