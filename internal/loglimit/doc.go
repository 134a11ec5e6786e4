// Package loglimit bounds what strangers can have written into a log: whoever is refused
// again and again shall not fill the disk.
//
//	if missed, ok := limit.Allow(); ok {
//		log.Info("refused", "skipped", missed)
//	}
//
// The type to know is [Limiter].
package loglimit
