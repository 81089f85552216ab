package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;

class LimitedBodyTest {
    private final AnswerMemory memory = new AnswerMemory(10);

    @Test
    void aBodyIsItsPartsOneAfterTheOther() {
        Reading reading = new Reading(10);
        reading.body.onNext(List.of(bytes(1, 2), bytes(3)));
        reading.body.onNext(List.of(bytes(4)));
        reading.body.onComplete();
        assertArrayEquals(new byte[] {1, 2, 3, 4}, reading.future().join());
        assertFalse(reading.cancelled);
    }

    @Test
    void anEmptyBodyIsEmpty() {
        Reading reading = new Reading(10);
        reading.body.onComplete();
        assertEquals(0, reading.future().join().length);
    }

    @Test
    void aLongerOneThanIsReadIsGivenUp() {
        Reading reading = new Reading(3);
        reading.body.onNext(List.of(bytes(1, 2)));
        reading.body.onNext(List.of(bytes(3, 4)));
        assertEquals("it is longer than 3 bytes", reading.tooLong());
        assertTrue(reading.cancelled);
    }

    @Test
    void whatManyTakeTogetherHasALimitToo() {
        Reading first = new Reading(8);
        Reading second = new Reading(8);
        first.body.onNext(List.of(bytes(1, 2, 3, 4, 5, 6)));
        second.body.onNext(List.of(bytes(1, 2, 3, 4)));
        second.body.onNext(List.of(bytes(5)));
        assertEquals("it is too long to be read beside this node's other answers", second.tooLong());
        assertTrue(second.cancelled);
        first.body.onComplete();
        assertEquals(6, first.future().join().length);
    }

    @Test
    void theBytesAreHeldUntilTheBodyIsClosedAndGivenBackOnce() {
        Reading first = new Reading(8);
        first.body.onNext(List.of(bytes(1, 2, 3)));
        first.body.onComplete();
        assertEquals(3, memory.taken());
        first.body.close();
        first.body.close();
        assertEquals(0, memory.taken());
    }

    @Test
    void whatComesAfterItWasClosedIsNotTaken() {
        Reading reading = new Reading(8);
        reading.body.onNext(List.of(bytes(1, 2, 3)));
        reading.body.close();
        reading.body.onNext(List.of(bytes(4)));
        assertTrue(reading.cancelled);
        assertEquals(0, memory.taken());
    }

    @Test
    void aConnectionThatBreaksBreaksTheBody() {
        Reading reading = new Reading(8);
        IllegalStateException error = new IllegalStateException("cut");
        reading.body.onError(error);
        assertEquals(
                error, assertThrows(CompletionException.class, reading.future()::join).getCause());
    }

    private static ByteBuffer bytes(int... values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length);
        for (int value : values) {
            buffer.put((byte) value);
        }
        return buffer.flip();
    }

    /** A body that somebody reads. */
    private final class Reading implements Flow.Subscription {
        final LimitedBody body;
        boolean cancelled;

        Reading(int limit) {
            body = new LimitedBody(limit, memory);
            body.onSubscribe(this);
        }

        CompletableFuture<byte[]> future() {
            return body.getBody().toCompletableFuture();
        }

        String tooLong() {
            CompletionException error = assertThrows(CompletionException.class, future()::join);
            return assertInstanceOf(LimitedBody.TooLong.class, error.getCause()).getMessage();
        }

        @Override
        public void request(long more) {
            assertEquals(Long.MAX_VALUE, more);
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }
}
