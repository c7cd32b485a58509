/**
 * Recognizes a digit in the browser, while it is being drawn.
 *
 * From strokes to the image that the network sees, every function does what Python's function of
 * that name does (digits/ink/canvas.py, digits/ink/preprocessing.py); then comes the network.
 * tests/widgets/test_recognizer.py compares the two, pixel by pixel.
 *
 * A stroke is [x, y], two arrays of as many pixels. Ink is { width, height, data }: a byte for each
 * pixel, row by row, 0 for paper and 255 for full ink.
 */

const IMAGE_SIDE = 28 // of an MNIST image, in pixels
const DIGIT_SIDE = 20 // of the box inside it that the digit fills
const PEN_WIDTH = 2.4 // pixels of that box
const SUPERSAMPLING = 4 // times larger when drawn, then averaged, for soft edges

// ---- Strokes to ink, as digits/ink/canvas.py draws them with Pillow.

/** The pointer positions that the canvas keeps: 0.4 pixels apart, never the last but one. */
export function decimate([x, y]) {
  const indices = [0]
  for (let i = 1; i < x.length - 2; i++) {
    const kept = indices.at(-1)
    if (Math.hypot(x[i] - x[kept], y[i] - y[kept]) >= 0.4) indices.push(i)
  }
  indices.push(x.length - 1)
  return [indices.map((i) => x[i]), indices.map((i) => y[i])]
}

/** The line that the canvas draws for pointer positions: curves from midpoint to midpoint. */
export function smooth(stroke) {
  const [x, y] = decimate(stroke)
  const line = [[x[0]], [y[0]]]
  let [startX, startY] = [x[0], y[0]]
  for (let i = 0; i + 1 < x.length; i++) {
    const [endX, endY] = [(x[i] + x[i + 1]) / 2, (y[i] + y[i + 1]) / 2]
    const length = Math.hypot(x[i] - startX, y[i] - startY) + Math.hypot(endX - x[i], endY - y[i])
    const count = Math.max(Math.ceil(length / 2), 1)
    for (let part = 1; part <= count; part++) {
      const t = part / count, u = 1 - t
      line[0].push(u * u * startX + 2 * t * u * x[i] + t * t * endX)
      line[1].push(u * u * startY + 2 * t * u * y[i] + t * t * endY)
    }
    [startX, startY] = [endX, endY]
  }
  line[0].push(x.at(-1))
  line[1].push(y.at(-1))
  return line
}

/** Draw strokes where they are, with a line `brush` pixels wide, on a sheet of that size. */
export function rasterize(strokes, width, height, brush) {
  const sheet = blank(width * SUPERSAMPLING, height * SUPERSAMPLING)
  const radius = (brush * SUPERSAMPLING) / 2
  for (const stroke of strokes) {
    const [xs, ys] = smooth(stroke).map((line) => line.map((value) => value * SUPERSAMPLING))
    xs.forEach((x, i) => {
      const y = ys[i]
      if (i) fillLine(sheet, whole(xs[i - 1], ys[i - 1], x, y), round(2 * radius))
      fillEllipse(sheet, whole(x - radius, y - radius, x + radius - 1, y + radius - 1))
    })
  }
  return reduce(sheet)
}

const whole = (...coordinates) => coordinates.map(Math.trunc)

/** Fill the pixels of a row between two columns, both included, as far as they are on the sheet. */
function fillRow({ width, height, data }, row, left, right) {
  if (row < 0 || row >= height || right < 0) return
  data.fill(1, row * width + Math.max(left, 0), row * width + Math.min(right, width - 1) + 1)
}

/** Fill the rectangle around the line between two points, as Pillow does: its corners are whole. */
function fillLine(sheet, [x0, y0, x1, y1], width) {
  if (x0 === x1 && y0 === y1) return
  const [dx, dy] = [x1 - x0, y1 - y0]
  const length = Math.hypot(dx, dy), half = (width - 1) / 2
  // Half the width to either side; where that is not whole, one side is a pixel nearer.
  const [near, far] = [Math.floor(half) / length, Math.ceil(half) / length]
  const [nearX, nearY] = [halfDown(near * dy), halfDown(near * dx)]
  const [farX, farY] = [halfDown(far * dy), halfDown(far * dx)]
  const corners = [[x0 - nearX, y0 + farY], [x1 - nearX, y1 + farY],
    [x1 + farX, y1 - nearY], [x0 + farX, y0 - nearY]]
  const rows = corners.map(([, y]) => y)
  const top = Math.min(...rows), bottom = Math.max(...rows)
  const lefts = new Float32Array(bottom - top + 1).fill(Infinity)
  const rights = new Float32Array(bottom - top + 1).fill(-Infinity)
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % 4]
    const slope = by === ay ? 0 : (bx - ax) / (by - ay)
    for (let row = Math.min(ay, by); row <= Math.max(ay, by); row++) {
      for (const x of by === ay ? [ax, bx] : [ax + slope * (row - ay)]) {
        lefts[row - top] = Math.min(lefts[row - top], x)
        rights[row - top] = Math.max(rights[row - top], x)
      }
    }
  })
  for (let row = top; row <= bottom; row++) {
    fillRow(sheet, row, halfUp(lefts[row - top]), halfDown(rights[row - top]))
  }
}

/** The nearest whole number, a half away from zero or towards it. */
const halfUp = (x) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)
const halfDown = (x) => Math.sign(x) * Math.ceil(Math.abs(x) - 0.5)

/** Fill the ellipse in a box of pixels, all four sides included, as Pillow fills it. */
function fillEllipse(sheet, [x0, y0, x1, y1]) {
  const spans = ellipseSpans(x1 - x0, y1 - y0)
  for (let row = y0; row <= y1; row++) {
    const inset = spans[row - y0]
    fillRow(sheet, row, x0 + inset, x1 - inset)
  }
}

const spansBySize = new Map()

/** How far each row of an ellipse begins from the left side of its box, a + 1 by b + 1 pixels.
 *
 * The outline goes from the right end of the middle row to the middle of the last one, always to
 * the neighbor that is nearest to the ellipse. Coordinates are doubled, from the center.
 */
function ellipseSpans(a, b) {
  const key = `${a},${b}`
  if (spansBySize.has(key)) return spansBySize.get(key)
  const distance = ([x, y]) => Math.abs(a * a * y * y + b * b * x * x - a * a * b * b)
  const insets = new Int32Array(b + 1).fill(-1)
  let [x, y] = [a, b % 2]
  for (;;) {
    const rows = [(b - y) / 2, (b + y) / 2]
    if (insets[rows[0]] < 0) insets[rows[0]] = insets[rows[1]] = (a - x) / 2
    if (x === a % 2 && y === b) break
    let next = [x, y + 2]
    if (x > 1) for (const other of [[x - 2, y + 2], [x - 2, y]]) {
      if (distance(other) < distance(next)) next = other
    }
    [x, y] = next
  }
  if (spansBySize.size > 200) spansBySize.clear()
  spansBySize.set(key, insets)
  return insets
}

/** The sheet at its own size again: each pixel the mean of four by four, each of them 0 or 1. */
function reduce(sheet) {
  const ink = blank(sheet.width / SUPERSAMPLING, sheet.height / SUPERSAMPLING)
  for (let y = 0, pixel = 0; y < sheet.height; y += SUPERSAMPLING) {
    for (let x = 0; x < sheet.width; x += SUPERSAMPLING, pixel++) {
      let count = 0
      for (let row = y; row < y + SUPERSAMPLING; row++) {
        const start = row * sheet.width + x
        for (let at = start; at < start + SUPERSAMPLING; at++) count += sheet.data[at]
      }
      ink.data[pixel] = (255 * count + 8) >> 4
    }
  }
  return ink
}

// ---- Ink to the network's input, as digits/ink/preprocessing.py makes it.

/** Cut a drawing down to the box around its ink; null when it is blank. */
export function crop({ width, height, data }) {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (!data[at]) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = y
    }
  }
  if (bottom < 0) return null
  const box = blank(right - left + 1, bottom - top + 1)
  for (let y = 0; y < box.height; y++) {
    const start = (top + y) * width + left
    box.data.set(data.subarray(start, start + box.width), y * box.width)
  }
  return box
}

/** Scale a drawing so that its longer side is `side` pixels, with soft edges. */
export function fit(ink, side = DIGIT_SIDE) {
  const scale = side / Math.max(ink.height, ink.width)
  const scaled = (length) => Math.max(1, round(length * scale))
  const [width, height] = [scaled(ink.width), scaled(ink.height)]
  const resizeColumns = (pixels) => transpose(resizeRows(transpose(pixels), height))
  return ink.height > 2 * ink.width // then Pillow begins with the columns, and so rounds them first
    ? resizeRows(resizeColumns(ink), width) : resizeColumns(resizeRows(ink, width))
}

/** Each row at another width: a pixel is the mean of those whose middle falls on it.
 *
 * As in Pillow, the weight of each is a whole number of 22 bits, which decides halves.
 */
function resizeRows(ink, width) {
  const resized = blank(width, ink.height), scale = ink.width / width
  const size = Math.max(scale, 1)
  for (let x = 0; x < width; x++) {
    const middle = (x + 0.5) * scale
    const falls = (at) => {
      const distance = (at - middle + 0.5) * (1 / size)
      return at >= 0 && at < ink.width && distance > -0.5 && distance <= 0.5
    }
    let from = Math.trunc(middle - size / 2 + 0.5), to = Math.trunc(middle + size / 2 + 0.5)
    while (!falls(from)) from++
    while (!falls(to - 1)) to--
    const weight = Math.floor(2 ** 22 / (to - from) + 0.5)
    for (let y = 0; y < ink.height; y++) {
      let sum = 2 ** 21
      const row = y * ink.width
      for (let at = row + from; at < row + to; at++) sum += ink.data[at] * weight
      resized.data[y * width + x] = Math.min(Math.floor(sum / 2 ** 22), 255)
    }
  }
  return resized
}

function transpose({ width, height, data }) {
  const turned = blank(height, width)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned.data[x * height + y] = data[y * width + x]
  }
  return turned
}

/** Put a digit on the 28×28 image with its center of mass, or else its middle, at (14, 14). */
export function center(digit, byMass = true) {
  const { width, height, data } = digit
  let [row, column] = [height / 2, width / 2]
  if (byMass) {
    let mass = 0, byRow = 0, byColumn = 0
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        mass += data[at]
        byRow += y * data[at]
        byColumn += x * data[at]
      }
    }
    [row, column] = [byRow / mass, byColumn / mass]
  }
  const top = Math.min(Math.max(round(IMAGE_SIDE / 2 - row), 0), IMAGE_SIDE - height)
  const left = Math.min(Math.max(round(IMAGE_SIDE / 2 - column), 0), IMAGE_SIDE - width)
  const image = blank(IMAGE_SIDE, IMAGE_SIDE)
  for (let y = 0; y < height; y++) {
    image.data.set(data.subarray(y * width, (y + 1) * width), (top + y) * IMAGE_SIDE + left)
  }
  return image
}

/** Scale and center a drawing as MNIST's makers did theirs; null when nothing is left of it. */
export function normalize(ink, options) {
  const box = crop(ink)
  if (!box) return null
  const digit = fit(options.crop ? box : ink, options.fit ? DIGIT_SIDE : IMAGE_SIDE)
  return digit.data.some(Boolean) ? center(digit, options.center) : null
}

/** What the network sees of a drawing: 28×28 ink, or null when it is blank.
 *
 * `options` are { redraw, crop, fit, center }; each stage can be disabled. Strokes larger than a
 * digit's 20 pixels are redrawn, where that is enabled, so that `ink.data` is not looked at.
 */
export function preprocess(ink, strokes, options) {
  const extent = (axis) => {
    let [low, high] = [Infinity, -Infinity]
    for (const stroke of strokes) for (const value of stroke[axis]) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    return high - low
  }
  const side = Math.max(extent(0), extent(1))
  if (options.redraw && side > DIGIT_SIDE) {
    const brush = (side * PEN_WIDTH) / (DIGIT_SIDE - PEN_WIDTH)
    ink = rasterize(strokes, ink.width, ink.height, brush)
  }
  return normalize(ink, options)
}

function blank(width, height) {
  return { width, height, data: new Uint8Array(width * height) }
}

/** The nearest whole number, halves to the even one, as Python rounds. */
function round(value) {
  const below = Math.floor(value), rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2) ? below + 1 : below
}

// ---- The network. A tensor is { shape: [height, width, channels], data: Float32Array }.

const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
}

/** The error function, to 2e-7. Source: Abramowitz and Stegun, 7.1.26. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const sum = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]
    .reduce((total, factor) => (total + factor) * t, 0)
  return Math.sign(x) * (1 - sum * Math.exp(-x * x))
}

function activate(data, name) {
  if (name === 'softmax') {
    const highest = data.reduce((a, b) => Math.max(a, b))
    const powers = data.map((x) => Math.exp(x - highest))
    const sum = powers.reduce((a, b) => a + b)
    return powers.map((power) => power / sum)
  }
  return name === 'linear' ? data : data.map(ACTIVATIONS[name])
}

/** By Keras's names; so are kernels: (height, width, channels, filters), or (inputs, units). */
const LAYERS = {
  Conv2D({ shape, data }, { kernel_size: size, activation }, [kernel, bias]) {
    const [height, width, channels] = shape, filters = bias.length
    const [rows, columns] = [height - size + 1, width - size + 1]
    const output = new Float32Array(rows * columns * filters)
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const start = (row * columns + column) * filters
        const sums = output.subarray(start, start + filters)
        sums.set(bias)
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            const pixel = ((row + y) * width + column + x) * channels
            for (let channel = 0; channel < channels; channel++) {
              const value = data[pixel + channel]
              if (!value) continue
              const weights = ((y * size + x) * channels + channel) * filters
              for (let f = 0; f < filters; f++) sums[f] += value * kernel[weights + f]
            }
          }
        }
      }
    }
    return { shape: [rows, columns, filters], data: activate(output, activation) }
  },

  MaxPooling2D({ shape: [height, width, channels], data }, { pool_size: size }) {
    const [rows, columns] = [Math.floor(height / size), Math.floor(width / size)]
    const output = new Float32Array(rows * columns * channels).fill(-Infinity)
    for (let row = 0; row < rows * size; row++) {
      for (let column = 0; column < columns * size; column++) {
        const from = (row * width + column) * channels
        const to = (Math.floor(row / size) * columns + Math.floor(column / size)) * channels
        for (let channel = 0; channel < channels; channel++) {
          output[to + channel] = Math.max(output[to + channel], data[from + channel])
        }
      }
    }
    return { shape: [rows, columns, channels], data: output }
  },

  BatchNormalization({ shape, data }, options, [scale, offset]) {
    const channels = scale.length
    return { shape, data: data.map((x, i) => x * scale[i % channels] + offset[i % channels]) }
  },

  Activation: ({ shape, data }, { activation }) => ({ shape, data: activate(data, activation) }),

  Flatten: ({ data }) => ({ shape: [1, 1, data.length], data }),

  GlobalAveragePooling2D(tensor) {
    const [height, width] = tensor.shape
    return global(tensor, (sum, x) => sum + x / (height * width), 0)
  },

  GlobalMaxPooling2D: (tensor) => global(tensor, (highest, x) => Math.max(highest, x), -Infinity),

  Dense({ data }, { activation }, [kernel, bias]) {
    const sums = bias.slice(), units = bias.length
    for (let input = 0; input < data.length; input++) {
      const value = data[input]
      if (!value) continue
      for (let unit = 0; unit < units; unit++) sums[unit] += value * kernel[input * units + unit]
    }
    return { shape: [1, 1, units], data: activate(sums, activation) }
  },
}

function global({ shape: [, , channels], data }, combine, start) {
  const output = new Float32Array(channels).fill(start)
  data.forEach((x, i) => { output[i % channels] = combine(output[i % channels], x) })
  return { shape: [1, 1, channels], data: output }
}

/** The networks that this page can ask, by name. */
export const networks = new Map()

/** A network from the bytes that digits/store/model_arrays.py writes. */
export function readNetwork(bytes) {
  const copy = bytes.slice() // at an address where numbers of four bytes may begin
  const length = new DataView(copy.buffer).getUint32(0, true)
  const { name, layers } = JSON.parse(new TextDecoder().decode(copy.subarray(4, 4 + length)))
  let at = 4 + length
  return { name, layers: layers.map(({ kind, options, weights }) => ({
    kind, options, weights: weights.map((size) => {
      const array = new Float32Array(copy.buffer, at, size)
      at += array.byteLength
      return array
    }),
  })) }
}

/** Ten probabilities for a 28×28 image, as a Float32Array. */
export function predict(network, image) {
  const data = Float32Array.from(image.data, (x) => x / 255)
  let tensor = { shape: [IMAGE_SIDE, IMAGE_SIDE, 1], data }
  for (const { kind, options, weights } of network.layers) {
    tensor = LAYERS[kind](tensor, options, weights)
  }
  return tensor.data
}
