# The official browser client, from npm.
FROM node:20-bookworm-slim AS web
WORKDIR /src/server/web
COPY server/web/package.json server/web/package-lock.json server/web/.npmrc ./
RUN npm ci
COPY server/web/ ./
RUN npm run build

# The server, as one static file.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /hermod ./server

FROM debian:bookworm-slim
RUN useradd --system --no-create-home hermod
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /hermod /usr/local/bin/hermod
COPY --from=web /src/server/web/dist /usr/local/share/hermod/client
ENV HERMOD_ADDR=:3000 HERMOD_CLIENT_DIR=/usr/local/share/hermod/client
USER hermod
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["hermod", "-healthcheck"]
ENTRYPOINT ["hermod"]
