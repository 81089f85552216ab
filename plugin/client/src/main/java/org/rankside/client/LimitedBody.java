package org.rankside.client;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * A body as bytes, given up where it is longer than an answer of the sidecar can be.
 *
 * <p>Its bytes are of a memory that all answers share, so that many long ones cannot fill an engine's
 * heap; it has them until it is closed.
 */
final class LimitedBody implements BodySubscriber<byte[]>, AutoCloseable {
    /** The answer is longer than is read. */
    static final class TooLong extends IOException {
        private TooLong(String message) {
            super(message);
        }
    }

    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private final List<ByteBuffer> parts = new ArrayList<>();
    private final int limit;
    private final AnswerMemory memory;
    private Flow.Subscription subscription;
    private int read;
    private boolean closed;

    LimitedBody(int limit, AnswerMemory memory) {
        this.limit = limit;
        this.memory = memory;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        try {
            for (ByteBuffer buffer : buffers) {
                add(buffer);
            }
        } catch (TooLong tooLong) {
            subscription.cancel();
            body.completeExceptionally(tooLong);
        }
    }

    @Override
    public void onError(Throwable error) {
        body.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
        body.complete(whole());
    }

    /** Nobody needs the bytes any more, or will take those that may still come. */
    @Override
    public synchronized void close() {
        closed = true;
        memory.give(read);
        read = 0;
        parts.clear();
    }

    private synchronized void add(ByteBuffer buffer) throws TooLong {
        int bytes = buffer.remaining();
        if (bytes > limit - read) {
            throw new TooLong("it is longer than " + limit + " bytes");
        }
        if (closed || !memory.take(bytes)) {
            throw new TooLong("it is too long to be read beside this node's other answers");
        }
        read += bytes;
        parts.add(ByteBuffer.allocate(bytes).put(buffer).flip());
    }

    private synchronized byte[] whole() {
        ByteBuffer whole = ByteBuffer.allocate(read);
        parts.forEach(whole::put);
        parts.clear();
        return whole.array();
    }
}
