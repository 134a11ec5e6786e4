// Command topology starts what docker-compose.yml describes, without Docker:
// Redis, the nodes, and nginx in front of them, all on this machine. It is what
// "make cluster" runs.
//
//	go build -o tests/topology/build/ ./server ./tests/topology
//	tests/topology/build/topology            # then open http://localhost:3000
//
// The nodes and their settings are read from docker-compose.yml, and the
// configuration of nginx is server/deploy/nginx.conf with other addresses and
// paths, so what is tried here is what is deployed. Redis and the nodes listen on
// ports that the kernel chooses, nginx has its own files: what else runs on the
// machine does not matter. As in the compose file a program that ends is started
// again; kill one and see.
//
// It runs in the foreground, for any user, until SIGINT or SIGTERM: then all
// programs end, nginx first, and the files go. redis-server and nginx (1.19.5 or
// later) must be installed.
package main
