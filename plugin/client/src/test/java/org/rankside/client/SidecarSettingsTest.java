package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SidecarSettingsTest {
    @Test
    void addressesAreReadOnceEach() {
        assertEquals(
                List.of(URI.create("http://a:8080"), URI.create("https://b/rankside")),
                SidecarSettings.addresses(
                        List.of("http://a:8080/", "https://b/rankside", " http://a:8080")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a:8080", "ftp://a", "http://", "http://a b"})
    void whatIsNoAddressIsRefused(String url) {
        assertThrows(IllegalArgumentException.class, () -> SidecarSettings.addresses(List.of(url)));
    }

    @Test
    void credentialsAreNotRepeated() {
        List<String> urls = List.of("http://user:pass@a:8080");
        IllegalArgumentException error =
                assertThrows(
                        IllegalArgumentException.class, () -> SidecarSettings.addresses(urls));
        assertFalse(error.getMessage().contains("pass"), error.getMessage());
    }

    @Test
    void noAddressIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> SidecarSettings.addresses(List.of()));
    }
}
