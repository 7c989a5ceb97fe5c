module github.com/seed-07905ac1/gatehouse

go 1.26.0

require golang.org/x/tools v0.52.0
