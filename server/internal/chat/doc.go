// Package chat is the chat that the server program brings along: rooms, names,
// who is here, who types, a bounded history, and files.
//
// Everything is in memory. A room lives as long as somebody is in it, and for a
// while longer, so that a reconnecting client finds its history again.
package chat
