using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Reelbase.Tests.Support;

/// <summary>A message of a channel as it came.</summary>
public sealed record ChannelMessage(string? JoinRef, string? Ref, string Topic, string Event, JsonElement Payload)
{
    public string? Status => Payload.TryGetProperty("status", out var status) ? status.GetString() : null;

    public string? Reason =>
        Payload.TryGetProperty("response", out var response) && response.TryGetProperty("reason", out var reason) ? reason.GetString() : null;
}

/// <summary>The channel protocol by hand, for what no SDK sends and to see every byte that comes.</summary>
public sealed class ChannelClient : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly bool _isVersion2;
    private HttpMessageInvoker? _http;
    private int _number;

    private ChannelClient(bool isVersion2) => _isVersion2 = isVersion2;

    /// <summary>How the server closed it.</summary>
    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    /// <summary>Opens a socket.</summary>
    public static async Task<ChannelClient> OpenAsync(
        string url,
        string key,
        string version = "2.0.0",
        bool isHttp2 = false,
        HttpMessageInvoker? through = null
    )
    {
        var client = new ChannelClient(version == "2.0.0");
        using var limit = new CancellationTokenSource(Patience.Span);
        var address = $"{url.Replace("http", "ws", StringComparison.Ordinal)}/realtime/v1/websocket?apikey={key}&vsn={version}";
        if (isHttp2)
        {
            client._socket.Options.HttpVersion = HttpVersion.Version20;
            client._socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }
        client._http = isHttp2 ? new HttpMessageInvoker(new SocketsHttpHandler()) : through;
        await client._socket.ConnectAsync(new Uri(address), client._http, limit.Token);
        return client;
    }

    /// <summary>Joins a topic as the SDKs do.</summary>
    public Task<string> JoinAsync(string topic, string? token, params object[] changes) =>
        SendAsync(
            topic,
            "phx_join",
            new Dictionary<string, object?>
            {
                ["config"] = new
                {
                    broadcast = new { ack = false, self = false },
                    presence = new { key = "", enabled = false },
                    postgres_changes = changes,
                    @private = false,
                },
                ["access_token"] = token,
            }
        );

    /// <summary>An entry of postgres_changes.</summary>
    public static object Changes(string table, string type = "*", string? filter = null) =>
        filter is null
            ? new
            {
                @event = type,
                schema = "public",
                table,
            }
            : new
            {
                @event = type,
                schema = "public",
                table,
                filter,
            };

    /// <summary>Sends a message.</summary>
    /// <returns>Its number.</returns>
    public async Task<string> SendAsync(string topic, string name, object payload)
    {
        var number = (++_number).ToString(System.Globalization.CultureInfo.InvariantCulture);
        object message = _isVersion2
            ? new object[] { number, number, topic, name, payload }
            : new Dictionary<string, object>
            {
                ["topic"] = topic,
                ["event"] = name,
                ["payload"] = payload,
                ["ref"] = number,
                ["join_ref"] = number,
            };
        await SendRawAsync(JsonSerializer.SerializeToUtf8Bytes(message));
        return number;
    }

    /// <summary>Sends a frame exactly as given.</summary>
    public async Task SendRawAsync(byte[] bytes, bool isBinary = false, bool isEnd = true)
    {
        using var limit = new CancellationTokenSource(Patience.Span);
        await _socket.SendAsync(bytes, isBinary ? WebSocketMessageType.Binary : WebSocketMessageType.Text, isEnd, limit.Token);
    }

    public Task SendTextAsync(string text) => SendRawAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>The next message; null once the server has closed the socket.</summary>
    public async Task<ChannelMessage?> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Span);
        using var message = new MemoryStream();
        var buffer = new byte[8192];
        WebSocketReceiveResult part;
        try
        {
            do
            {
                part = await _socket.ReceiveAsync(buffer, limit.Token);
                message.Write(buffer, 0, part.Count);
            } while (!part.EndOfMessage);
        }
        catch (WebSocketException)
        {
            return null;
        }
        if (part.MessageType == WebSocketMessageType.Close)
        {
            return null;
        }
        var root = JsonDocument.Parse(message.ToArray()).RootElement;
        return _isVersion2
            ? new(root[0].GetString(), root[1].GetString(), root[2].GetString()!, root[3].GetString()!, root[4])
            : new(
                root.GetProperty("join_ref").GetString(),
                root.GetProperty("ref").GetString(),
                root.GetProperty("topic").GetString()!,
                root.GetProperty("event").GetString()!,
                root.GetProperty("payload")
            );
    }

    /// <summary>The next message that fits; what comes before it is left out.</summary>
    public async Task<ChannelMessage> UntilAsync(Func<ChannelMessage, bool> fits)
    {
        while (await NextAsync() is { } message)
        {
            if (fits(message))
            {
                return message;
            }
        }
        throw new InvalidOperationException($"The socket was closed ({CloseStatus}) before the message came");
    }

    /// <summary>The reply to a message.</summary>
    public Task<ChannelMessage> ReplyAsync(string number) => UntilAsync(message => message.Event == "phx_reply" && message.Ref == number);

    /// <summary>Joins and waits for the reply, which has to be ok.</summary>
    public async Task<ChannelMessage> JoinedAsync(string topic, string? token, params object[] changes)
    {
        var reply = await ReplyAsync(await JoinAsync(topic, token, changes));
        Assert.Equal("ok", reply.Status);
        return reply;
    }

    /// <summary>The next change of a row.</summary>
    public Task<ChannelMessage> ChangeAsync(Func<JsonElement, bool>? fits = null) =>
        UntilAsync(message => message.Event == "postgres_changes" && (fits is null || fits(message.Payload.GetProperty("data"))));

    /// <summary>Waits until the server has closed the socket.</summary>
    public async Task<WebSocketCloseStatus?> ClosedAsync()
    {
        while (await NextAsync() is not null) { }
        return CloseStatus;
    }

    /// <summary>Drops the connection.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _http?.Dispose();
    }
}
