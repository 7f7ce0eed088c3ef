# Builds brood, and yields two images. The legacy builder and BuildKit both take it.
#
#     docker build --target brood -t brood .    nothing but the programs, for COPY --from=brood in a Dockerfile of yours
#     docker build -t brood-demo .              the same with a config that shows something: docker run --rm brood-demo
#
# The programs are the same bytes whoever builds them, and when, from the same Debian: stripped, they have neither a
# date nor a path in them. One that is linked with glibc, which make would settle for, isn't what is shipped: where the
# sources of the libraries can't be had the build fails.

ARG BASE=debian:12

FROM $BASE AS build
ARG SOURCE=/src
WORKDIR $SOURCE
COPY tests/deps.sh tests/libs.sh tests/
RUN apt-get update && tests/deps.sh run && tests/libs.sh build/libs
COPY . .
ARG SOURCE_DATE_EPOCH=0
RUN make -s -j"$(nproc)" \
    && mkdir /out \
    && for program in brood broodctl; do strip -o "/out/$program" "build/$program" || exit; done \
    && touch --date="@$SOURCE_DATE_EPOCH" /out/*

FROM scratch AS brood
COPY --from=build /out/ /

FROM $BASE AS demo
COPY --from=brood /brood /brood
COPY examples/hello.ini /etc/brood.ini
ENTRYPOINT ["/brood"]
