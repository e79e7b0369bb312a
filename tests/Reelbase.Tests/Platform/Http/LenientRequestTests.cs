using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>What phones and their libraries send beside the letter of the standards is read, where a refusal would brick an app; and whoever is refused early, however slowly they send, reads why.</summary>
[Collection(SharedProduct.Name)]
public sealed class LenientRequestTests(TestSystem system)
{
    [Theory]
    [InlineData("tr_TR", "tr")]
    [InlineData("es_419, en;q=0.5", "es")]
    [InlineData("en_US;q=0.4, tr_TR;q=0.9", "tr")]
    [InlineData("Turkish (Türkçe);;, tr;q=0.8", "tr")]
    [InlineData("x-@@@, q=, ;q=1, es;q=0.2", "es")]
    [InlineData("tr;q=high, es;q=0.2", "es")]
    [InlineData("tr; q=0.9 , en; q=0.8", "tr")]
    [InlineData("es,,tr", "es")]
    [InlineData("TR-tr", "tr")]
    [InlineData("tr;q=0, *;q=0.5", "en")]
    public void Accept_language_is_read_as_phones_send_it(string header, string language) => Assert.Equal(language, AcceptLanguage.Choose(header));

    [Fact]
    public void Thirty_languages_in_six_hundred_bytes_are_read()
    {
        var header = string.Join(
            ", ",
            Enumerable.Range(0, 30).Select(number => $"{(char)('c' + (number % 2))}{(char)('a' + (number % 26))}-Latn-XX;q=0.9{29 - number:00}")
        );
        Assert.InRange((header + ", tr-TR;q=0.1").Length, 500, 800);
        Assert.Equal("tr", AcceptLanguage.Choose(header + ", tr-TR;q=0.1"));
        // Somebody who fills the header is answered too, in English.
        Assert.Equal("en", AcceptLanguage.Choose(string.Join(',', Enumerable.Repeat("xx", 8000)) + ",tr"));
    }

    [Theory]
    [InlineData(true, "application/json")]
    [InlineData(false, null)]
    [InlineData(true, null)]
    public async Task A_byte_order_mark_and_a_missing_content_type_brick_no_phone(bool hasMark, string? type)
    {
        var device = Guid.NewGuid().ToString();
        var json = JsonSerializer.SerializeToUtf8Bytes(new { device_id = device, device_token = Phone.TokenOf(device) });
        using var body = new ByteArrayContent(hasMark ? [0xEF, 0xBB, 0xBF, .. json] : json);
        body.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        using var http = system.Anybody();
        foreach (var path in new[] { "/device-check", "/functions/v1/device-check" })
        {
            using var answer = await http.PostAsync(path, body);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        }
    }

    [Theory]
    [InlineData("Content-Length: 200000\r\nContent-Type: application/json", 413, "too_large")]
    [InlineData("Content-Length: 200000\r\nContent-Type: text/plain", 415, "media_type")]
    [InlineData("Content-Length: 20000\r\nContent-Type: application/json", 408, "too_slow")]
    public async Task A_slow_sender_who_writes_everything_first_reads_why_they_were_refused(string headers, int status, string reason)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(system.Url).Port);
        using var limit = Patience.Limit();
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /device-check HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n{{"), limit.Token);
        // Nothing for longer than a server waits for a sender's next bytes; whoever was too slow goes on once the answer lies there, unread.
        await Task.Delay(TimeSpan.FromSeconds(8), limit.Token);
        await Eventually.IsAsync(() => Task.FromResult(client.Available), bytes => bytes > 0);
        var left = int.Parse(headers.Split("\r\n")[0]["Content-Length: ".Length..], System.Globalization.CultureInfo.InvariantCulture) - 1;
        while (left > 0)
        {
            var piece = Math.Min(left, 5000);
            // Each of these raises when the connection was reset.
            await stream.WriteAsync(new byte[piece], limit.Token);
            left -= piece;
            await Task.Delay(10, limit.Token);
        }
        var text = "";
        var buffer = new byte[4096];
        while (!text.Contains("\"trace_id\"", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, limit.Token);
            Assert.True(read > 0, $"the answer ended: {text}");
            text += Encoding.UTF8.GetString(buffer, 0, read);
        }
        Assert.StartsWith($"HTTP/1.1 {status} ", text, StringComparison.Ordinal);
        Assert.Contains($"\"reason\":\"{reason}\"", text, StringComparison.Ordinal);
    }
}
