// Package link is how a node talks to Redis: one ordered writer and one
// subscriber, over a standalone server, Sentinel or a Cluster.
//
//	l, err := link.New(client, link.Config{OnGap: gap})
//	err = l.Subscribe(ctx, link.Plain, func(m link.Message) { … }, "socket.io#/#")
//	err = l.Publish("socket.io#/#", payload) // queued; never waits
//	err = l.Close(ctx)
//
// The types to know are [Writer], [Subscriber] and [Link], which is both. They
// take addresses, credentials and TLS from the redis.UniversalClient they are
// given and open connections of their own; the client itself is used for
// [Writer.NumSub], and is not closed.
//
// Dialing, the handshake, commands, answers and all that is no message are
// go-redis' affair. Messages themselves are read here, from the buffer in which
// they came: go-redis makes a slice and several strings of each.
//
// Order: what one goroutine appends for one key (channel, stream) reaches Redis
// in that order, on every topology, through failures too. A PUBLISH is sent at
// most once: one whose answer never came is dropped and counted, since it may
// have been carried out. A command with Retry is sent until it is answered, at
// least once.
//
// With Config.Batches what waits for the same channel or stream goes as one command,
// which [Subscriber.Each] and [ParseBatch] take apart again.
//
// Limits: pub/sub loses what is published while a link is down. Config.OnGap
// says when that may have happened to this node. A master that Sentinel has
// replaced but cannot reach is used until its connections break.
package link
