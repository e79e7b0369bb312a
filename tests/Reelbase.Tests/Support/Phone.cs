using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Reelbase.Tests.Support;

/// <summary>An answer as a client sees it.</summary>
public sealed record ApiResponse(HttpStatusCode Status, JsonElement Json, string Text, HttpResponseMessage Raw)
{
    /// <summary>The code of an error answer.</summary>
    public string? Code =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
            ? error.GetProperty("code").GetString()
            : null;

    /// <summary>The message of an error answer.</summary>
    public string? Message => Code is null ? null : Json.GetProperty("error").GetProperty("message").GetString();

    /// <summary>The reason that an error answer gives in its details; fails with the whole answer when it gives none. No property: a record prints those.</summary>
    public string ReadReason() =>
        Code is not null
        && Json.GetProperty("error").TryGetProperty("details", out var details)
        && details.ValueKind == JsonValueKind.Object
        && details.TryGetProperty("reason", out var reason)
        && reason.ValueKind == JsonValueKind.String
            ? reason.GetString()!
            : throw new InvalidOperationException($"There is no reason in {(int)Status} {Text}");

    /// <summary>A member of the answer.</summary>
    public JsonElement this[string name] =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var member)
            ? member
            : throw new InvalidOperationException($"There is no {name} in {(int)Status} {Text}");

    /// <summary>Reads an answer whole.</summary>
    public static async Task<ApiResponse> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        var json = response.Content.Headers.ContentType?.MediaType == "application/json" && text.Length > 0 ? JsonDocument.Parse(text).RootElement : default;
        // A 500 is a fault of ours, and its answer says nothing of it.
        var fault =
            response.StatusCode == HttpStatusCode.InternalServerError
            && json.ValueKind == JsonValueKind.Object
            && json.TryGetProperty("error", out var error)
            && error.TryGetProperty("trace_id", out var trace)
                ? ServerErrors.Find(trace.GetString()!)
                : "";
        return new(response.StatusCode, json, fault.Length > 0 ? $"{text}\n{fault}" : text, response);
    }
}

/// <summary>A phone with a guest's session.</summary>
public sealed class Phone
{
    private Phone(string url, string deviceId, ApiResponse answer, HttpMessageHandler? through)
    {
        Http = Client(url, through);
        Http.Timeout = Patience.Span;
        DeviceId = deviceId;
        Onboarding = answer;
        UserId = answer["user_id"].GetGuid();
        AccessToken = answer["access_token"].GetString()!;
        RefreshToken = answer["refresh_token"].GetString()!;
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AccessToken);
    }

    public HttpClient Http { get; }
    public string DeviceId { get; }
    public ApiResponse Onboarding { get; }
    public Guid UserId { get; }
    public string AccessToken { get; }
    public string RefreshToken { get; }

    /// <summary>A DeviceCheck token of a physical device.</summary>
    public static string TokenOf(string device) => Convert.ToBase64String(Encoding.UTF8.GetBytes("device:" + device));

    /// <summary>Onboards; by default a new installation on a new physical device, and straight to the server.</summary>
    public static async Task<Phone> OnboardAsync(string url, string? deviceId = null, string? device = null, HttpMessageHandler? through = null)
    {
        deviceId ??= Guid.NewGuid().ToString();
        var answer = await CheckAsync(url, deviceId, TokenOf(device ?? deviceId), through);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return new(url, deviceId, answer, through);
    }

    private static HttpClient Client(string url, HttpMessageHandler? through) =>
        through is null ? new() { BaseAddress = new Uri(url) } : new(through, disposeHandler: false) { BaseAddress = new Uri(url) };

    /// <summary>The raw answer of device-check.</summary>
    public static async Task<ApiResponse> CheckAsync(string url, string deviceId, string deviceToken, HttpMessageHandler? through = null)
    {
        using var http = Client(url, through);
        return await ApiResponse.ReadAsync(await http.PostAsJsonAsync("/device-check", new { device_id = deviceId, device_token = deviceToken }));
    }

    public async Task<ApiResponse> GetAsync(string path) => await ApiResponse.ReadAsync(await Http.GetAsync(path));

    public async Task<ApiResponse> PostAsync(string path, object body, Guid? key = null) =>
        await PostTextAsync(path, JsonSerializer.Serialize(body), key?.ToString());

    /// <summary>Posts JSON text exactly as given.</summary>
    public async Task<ApiResponse> PostTextAsync(string path, string json, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }
        return await ApiResponse.ReadAsync(await Http.SendAsync(request));
    }

    /// <summary>Asks for a video of the cheapest kind, at eight credits.</summary>
    public Task<ApiResponse> GenerateAsync(string prompt, Guid? key = null, object? settings = null) =>
        PostAsync(
            "/generate-video",
            new
            {
                model_id = Catalog.FastModel,
                prompt,
                settings = settings ?? new { },
            },
            key ?? Guid.NewGuid()
        );

    /// <summary>Asks for a video and waits, on the live stream, for its end.</summary>
    public async Task<JsonElement> GenerateAndWatchAsync(string prompt)
    {
        var accepted = await GenerateAsync(prompt);
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        return (await WatchAsync(accepted["job_id"].GetString()!))[^1];
    }

    /// <summary>Everything that the live stream says until it ends; <paramref name="onFirst"/> is done once it has said something.</summary>
    public async Task<List<JsonElement>> WatchAsync(string jobId, Func<Task>? onFirst = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={jobId}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var limit = Patience.Limit();
        using var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(limit.Token));
        var seen = new List<JsonElement>();
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                seen.Add(JsonDocument.Parse(line[6..]).RootElement);
                await (seen.Count == 1 && onFirst is not null ? onFirst() : Task.CompletedTask);
            }
        }
        return seen;
    }

    /// <summary>Reads a live stream up to a line that has this in it.</summary>
    public static async Task ReadUntilAsync(StreamReader reader, string text)
    {
        using var limit = Patience.Limit();
        string? line;
        do
        {
            line = await reader.ReadLineAsync(limit.Token);
            Assert.NotNull(line);
        } while (!line.Contains(text, StringComparison.Ordinal));
    }

    /// <summary>What can be spent now.</summary>
    public async Task<int> CreditsAsync() => (await GetAsync("/get-user-credits"))["credits_remaining"].GetInt32();
}
