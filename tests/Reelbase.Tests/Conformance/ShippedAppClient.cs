using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>
/// The shipped app's requests, exactly as its Swift code makes them: method, path, query, headers, body, nothing added. (A GET carries a Content-Type there too; our HTTP stack says
/// beside it that its body is empty.)
/// </summary>
public sealed class ShippedAppClient(string baseUrl, string anonKey) : IDisposable
{
    private const string ThemeColumns = "id,name,description,thumbnail_url,prompt,is_featured,is_available,default_settings,created_at";
    private const string ModelColumns = "id,name,category,description,thumbnail_url,is_featured,cost_per_generation";
    private readonly HttpClient _http = new();

    /// <summary>Every request that the app has, and why one is not replayed here yet.</summary>
    public static IReadOnlyDictionary<string, string?> Requests { get; } =
        new Dictionary<string, string?>
        {
            ["F1 POST device-check"] = null,
            ["F2 GET get-user-credits"] = null,
            ["F3 GET get-user-profile"] = null,
            ["F4 POST merge-guest-user"] = null,
            ["F5 POST delete-account"] = null,
            ["F6 GET get-video-jobs"] = null,
            ["F7 POST delete-video-job"] = null,
            ["F8 POST generate-video"] = null,
            ["F9 GET get-video-status"] = null,
            ["F10 POST update-credits, the purchase"] = null,
            ["F11 POST update-credits, the other screen's"] = null,
            ["F12 GET get-models"] = null,
            ["R1 GET themes"] = null,
            ["R2 GET one theme"] = null,
            ["R3 GET the active model"] = null,
            ["R3b GET one model"] = null,
            ["R4 PATCH users"] = null,
            ["A1 POST token"] = null,
            ["S1 POST a picture"] = null,
            ["S2 GET a video and a picture"] = null,
            ["W1 the websocket of a job"] = null,
        };

    /// <summary>Which of them were made.</summary>
    public SortedSet<string> Made { get; } = new(StringComparer.Ordinal);

    public Task<ApiResponse> DeviceCheckAsync(string deviceId, string token) => Post("F1", "device-check", new { device_id = deviceId, device_token = token });

    /// <summary>Interpolated into the address as it is, where the others are encoded.</summary>
    public Task<ApiResponse> CreditsAsync(string user) => Get("F2", $"/functions/v1/get-user-credits?user_id={user}");

    public Task<ApiResponse> ProfileAsync(string user) => Get("F3", $"/functions/v1/get-user-profile?user_id={Uri.EscapeDataString(user)}");

    public Task<ApiResponse> MergeAsync(string device, string subject) => Post("F4", "merge-guest-user", new { device_id = device, apple_sub = subject });

    public Task<ApiResponse> DeleteAccountAsync(string user) => Post("F5", "delete-account", new { user_id = user });

    public Task<ApiResponse> HistoryAsync(string user) => Get("F6", $"/functions/v1/get-video-jobs?user_id={Uri.EscapeDataString(user)}&limit=20&offset=0");

    public Task<ApiResponse> DeleteJobAsync(string job, string user) => Post("F7", "delete-video-job", new { job_id = job, user_id = user });

    /// <summary>A new key in capitals for every tap; <c>settings</c> always has its three members, <c>image_url</c> only where the model needs one.</summary>
    public Task<ApiResponse> GenerateAsync(string user, string theme, string prompt, int duration, string? imageUrl = null)
    {
        var body = new Dictionary<string, object>
        {
            ["user_id"] = user,
            ["theme_id"] = theme,
            ["prompt"] = prompt,
            ["settings"] = new
            {
                resolution = "720p",
                aspect_ratio = "auto",
                duration,
            },
        };
        if (imageUrl is not null)
        {
            body["image_url"] = imageUrl;
        }
        return Post("F8", "generate-video", body, request => request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString().ToUpperInvariant()));
    }

    public Task<ApiResponse> StatusAsync(string job) => Get("F9", $"/functions/v1/get-video-status?job_id={job}");

    public Task<ApiResponse> PurchaseAsync(string user, string transaction, string product) =>
        Post(
            "F10",
            "update-credits",
            new
            {
                user_id = user,
                transaction_id = transaction,
                product_id = product,
                receipt_data = Convert.ToBase64String(new byte[2000]),
                purchase_date = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            }
        );

    public Task<ApiResponse> PurchaseAsync(string user, string transaction) =>
        Post("F11", "update-credits", new { user_id = user, transaction_id = transaction });

    public Task<ApiResponse> ModelsAsync(string? etag = null) =>
        Get("F12", "/functions/v1/get-models", etag is null ? null : request => request.Headers.TryAddWithoutValidation("If-None-Match", etag));

    public Task<ApiResponse> ThemesAsync() => Rest("R1", $"themes?is_available=eq.true&select={ThemeColumns}&order=is_featured.desc,name.asc");

    public Task<ApiResponse> ThemeAsync(string id) => Rest("R2", $"themes?id=eq.{id}&is_available=eq.true&select={ThemeColumns}");

    public Task<ApiResponse> ActiveModelAsync() => Rest("R3", $"models?is_active=eq.true&is_available=eq.true&select={ModelColumns},required_fields");

    public Task<ApiResponse> ModelAsync(string id) => Rest("R3b", $"models?id=eq.{id}&select={ModelColumns}");

    public Task<ApiResponse> SettingsAsync(string user, string language, string theme) =>
        Send(
            "R4",
            new(HttpMethod.Patch, $"{baseUrl}/rest/v1/users?id=eq.{user}") { Content = Body(new { language, theme_preference = theme }) },
            request => request.Headers.Add("Prefer", "return=representation")
        );

    /// <summary>Without Authorization and without a version.</summary>
    public async Task<ApiResponse> RefreshAsync(string token)
    {
        Note("A1");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{baseUrl}/auth/v1/token?grant_type=refresh_token")
        {
            Content = Body(new { refresh_token = token }),
        };
        request.Headers.Add("apikey", anonKey);
        return await ApiResponse.ReadAsync(await _http.SendAsync(request));
    }

    /// <summary>With the user's own token; the address of the picture is built on the phone.</summary>
    public async Task<(ApiResponse Response, string Url)> UploadAsync(string user, string accessToken, byte[] picture)
    {
        Note("S1");
        var path = $"thumbnails/{user}/input_{Guid.NewGuid().ToString().ToUpperInvariant()}.jpg";
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{baseUrl}/storage/v1/object/{path}") { Content = new ByteArrayContent(picture) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("image/jpeg");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        request.Headers.Add("apikey", anonKey);
        request.Headers.Accept.ParseAdd("application/json");
        return (await ApiResponse.ReadAsync(await _http.SendAsync(request)), $"{baseUrl}/storage/v1/object/public/{path}");
    }

    /// <summary>What AVPlayer and AsyncImage ask, without any header of ours; a player begins with two bytes.</summary>
    public async Task<HttpResponseMessage> MediaAsync(string url, bool isFirstBytes = false)
    {
        Note("S2");
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (isFirstBytes)
        {
            request.Headers.Range = new RangeHeaderValue(0, 1);
        }
        return await _http.SendAsync(request);
    }

    public void Dispose() => _http.Dispose();

    private Task<ApiResponse> Get(string id, string path, Action<HttpRequestMessage>? more = null) =>
        Send(id, new(HttpMethod.Get, baseUrl + path) { Content = NoBody() }, more);

    private Task<ApiResponse> Rest(string id, string query) =>
        Send(
            id,
            new(HttpMethod.Get, $"{baseUrl}/rest/v1/{query}") { Content = NoBody() },
            request =>
            {
                request.Headers.Accept.ParseAdd("application/json");
                request.Headers.Add("Prefer", "return=representation");
            }
        );

    private Task<ApiResponse> Post(string id, string name, object body, Action<HttpRequestMessage>? more = null) =>
        Send(id, new(HttpMethod.Post, $"{baseUrl}/functions/v1/{name}") { Content = Body(body) }, more);

    /// <summary>With the three headers that everything carries.</summary>
    private async Task<ApiResponse> Send(string id, HttpRequestMessage request, Action<HttpRequestMessage>? more)
    {
        Note(id);
        using (request)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", anonKey);
            request.Headers.Add("apikey", anonKey);
            more?.Invoke(request);
            return await ApiResponse.ReadAsync(await _http.SendAsync(request));
        }
    }

    /// <summary>Joins with the anon key as the token and hears nothing by it, sends heartbeats, and hands over no token; after 30 seconds the app polls.</summary>
    public async Task<ChannelMessage> WatchAsync(string job)
    {
        Note("W1");
        using var socket = await ChannelClient.OpenAsync(baseUrl, anonKey, "1.0.0");
        var topic = $"realtime:video-job-{job}";
        var reply = await socket.ReplyAsync(await socket.JoinAsync(topic, anonKey, ChannelClient.Changes("video_jobs", "UPDATE", $"job_id=eq.{job}")));
        await socket.ReplyAsync(await socket.SendAsync("phoenix", "heartbeat", new { }));
        await socket.SendAsync(topic, "access_token", new { access_token = (string?)null });
        await socket.ReplyAsync(await socket.SendAsync(topic, "phx_leave", new { }));
        return reply;
    }

    private void Note(string id) => Made.Add(Requests.Keys.Single(name => name.StartsWith(id + " ", StringComparison.Ordinal)));

    private static ByteArrayContent Body(object body)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(body)));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private static ByteArrayContent NoBody() => new([]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
}
