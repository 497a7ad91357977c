// Scenarios that MQTT.js clients play with a broker: `node mqttjs_scenarios.js PORT VERSION SCENARIO`.
// A scenario that does not go as it must ends with an exception, and the program with it.

'use strict'

const assert = require('node:assert')
const mqtt = require('mqtt')

const [port, version, scenario] = process.argv.slice(2)
const PATIENCE_MS = 30_000
const VERSIONS = { 31: { protocolId: 'MQIsdp', protocolVersion: 3 }, 311: { protocolVersion: 4 }, 5: { protocolVersion: 5 } }

// A connected client that keeps what it receives until it is asked for.
class Peer {
  static async connect (name, options = {}) {
    const peer = new Peer()
    peer.waiting = []
    peer.received = []
    peer.client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
      clientId: name, reconnectPeriod: 0, ...VERSIONS[version], ...options
    })
    peer.client.on('message', (topic, payload, packet) => peer.take({ topic, payload, packet }))
    peer.connack = await new Promise((resolve, reject) => {
      peer.client.once('connect', resolve)
      peer.client.once('error', reject)
    })
    return peer
  }

  take (message) {
    const waiting = this.waiting.shift()
    if (waiting) waiting(message)
    else this.received.push(message)
  }

  async receive () {
    return this.received.shift() ?? new Promise(resolve => this.waiting.push(resolve))
  }

  async subscribe (topic, options) {
    const [granted] = await this.client.subscribeAsync(topic, options)
    assert.strictEqual(granted.qos, options.qos, topic)
  }

  async publish (topic, payload, options) {
    await this.client.publishAsync(topic, payload, options)
  }

  vanish () {
    this.client.stream.destroy()
  }
}

function lasting () {
  return { clean: false, ...(version === '5' ? { properties: { sessionExpiryInterval: 60 } } : {}) }
}

const scenarios = {
  async every_qos () {
    const subscriber = await Peer.connect('subscriber')
    const publisher = await Peer.connect('publisher')
    for (const granted of [0, 1, 2]) {
      await subscriber.subscribe(`a/${granted}/+`, { qos: granted })
      // Order holds among messages of one QoS.
      for (const qos of [0, 1, 2]) {
        for (let number = 0; number < 10; number++) {
          await publisher.publish(`a/${granted}/b`, String(number), { qos })
        }
        for (let number = 0; number < 10; number++) {
          const { topic, payload, packet } = await subscriber.receive()
          assert.deepStrictEqual([topic, String(payload), packet.qos, packet.retain],
            [`a/${granted}/b`, String(number), Math.min(granted, qos), false])
        }
      }
    }
    const large = Buffer.alloc(500_000, 'large payload ')
    await publisher.publish('a/2/large', large, { qos: 2 })
    assert.ok((await subscriber.receive()).payload.equals(large))
  },

  async retained () {
    const publisher = await Peer.connect('publisher')
    await publisher.publish('kept', 'former', { qos: 1, retain: true })
    await publisher.publish('kept', 'latest', { qos: 2, retain: true })
    const subscriber = await Peer.connect('subscriber')
    await subscriber.subscribe('#', { qos: 2 })
    const { payload, packet } = await subscriber.receive()
    assert.deepStrictEqual([String(payload), packet.qos, packet.retain], ['latest', 2, true])
    await publisher.publish('kept', '', { qos: 1, retain: true })
    assert.strictEqual((await subscriber.receive()).payload.length, 0)
    const late = await Peer.connect('late')
    await late.subscribe('#', { qos: 1 })
    await publisher.publish('passing', 'x', { qos: 1 })
    assert.strictEqual((await late.receive()).topic, 'passing')
  },

  async wills () {
    const watcher = await Peer.connect('watcher')
    await watcher.subscribe('gone/#', { qos: 2 })
    for (const qos of [0, 1, 2]) {
      const will = { topic: `gone/${qos}`, payload: Buffer.from('dead'), qos, retain: false }
      const mortal = await Peer.connect('mortal', { will })
      mortal.vanish()
      const { topic, payload, packet } = await watcher.receive()
      assert.deepStrictEqual([topic, String(payload), packet.qos], [`gone/${qos}`, 'dead', qos])
    }
    const will = { topic: 'gone/never', payload: Buffer.from('dead'), qos: 1, retain: false }
    const polite = await Peer.connect('polite', { will })
    await polite.client.endAsync()
    await watcher.publish('gone/end', '', { qos: 1 })
    assert.strictEqual((await watcher.receive()).topic, 'gone/end')
  },

  async shared () {
    const members = [await Peer.connect('first'), await Peer.connect('second')]
    for (const member of members) await member.subscribe('$share/group/a', { qos: 1 })
    const publisher = await Peer.connect('publisher')
    for (let number = 0; number < 20; number++) await publisher.publish('a', String(number), { qos: 1 })
    const received = new Set()
    for (const member of members) {
      for (let count = 0; count < 10; count++) received.add(String((await member.receive()).payload))
    }
    assert.strictEqual(received.size, 20)
  },

  async sessions () {
    const before = await Peer.connect('lasting', lasting())
    await before.subscribe('a', { qos: 2 })
    await before.client.endAsync()
    const publisher = await Peer.connect('publisher')
    for (let number = 0; number < 10; number++) await publisher.publish('a', String(number), { qos: 1 + number % 2 })
    const after = await Peer.connect('lasting', lasting())
    assert.ok(after.connack.sessionPresent)
    // Order holds among messages of one QoS.
    const received = { 1: [], 2: [] }
    for (let count = 0; count < 10; count++) {
      const { payload, packet } = await after.receive()
      received[packet.qos].push(Number(payload))
    }
    assert.deepStrictEqual(received, { 1: [0, 2, 4, 6, 8], 2: [1, 3, 5, 7, 9] })
  },

  async properties () {
    const properties = { receiveMaximum: 5, topicAliasMaximum: 10, requestResponseInformation: true }
    const peer = await Peer.connect('both', { properties, autoUseTopicAlias: true, autoAssignTopicAlias: true })
    assert.strictEqual(peer.connack.properties.responseInformation, 'response/both')
    await peer.subscribe('a', { qos: 1, rap: true, properties: { subscriptionIdentifier: 77 } })
    const sent = {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from([0, 255]),
      userProperties: { b: ['2', '1'], a: '1' }
    }
    for (let count = 0; count < 3; count++) {
      await peer.publish('a', 'x', { qos: 1, retain: true, properties: { ...sent } })
      const { topic, packet } = await peer.receive()
      assert.deepStrictEqual([topic, packet.retain], ['a', true])
      const { payloadFormatIndicator, contentType, responseTopic, correlationData, subscriptionIdentifier } = packet.properties
      assert.deepStrictEqual([payloadFormatIndicator, contentType, responseTopic, subscriptionIdentifier],
        [true, 'text/plain', 'answers', 77])
      assert.ok(correlationData.equals(sent.correlationData))
      assert.deepStrictEqual({ ...packet.properties.userProperties }, sent.userProperties)
    }
  }
}

setTimeout(() => {
  console.error('not in time')
  process.exit(1)
}, PATIENCE_MS)
scenarios[scenario]().then(() => {
  console.log('done')
  process.exit(0)
}, error => {
  console.error(error)
  process.exit(1)
})
