module github.com/seed-07905ac1/gatehouse

go 1.26
