using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Reelbase.Simulators.Phone;

/// <summary>A pretend phone: takes one first guest through the whole story and prints each step.</summary>
public static class PhoneStory
{
    private const int MaxPolls = 100;
    private const int PollMilliseconds = 100;

    /// <summary>Plays the story against a server.</summary>
    /// <returns>0 when the video plays.</returns>
    public static async Task<int> RunAsync(string server, string simulators, string prompt)
    {
        using var client = new HttpClient { BaseAddress = new Uri(server), Timeout = TimeSpan.FromSeconds(120) };
        try
        {
            var name = Guid.NewGuid();
            var guest = await PostAsync(
                client,
                "/device-check",
                new { device_id = name, device_token = Convert.ToBase64String(Encoding.UTF8.GetBytes($"device:{name}")) }
            );
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", guest.GetProperty("access_token").GetString());
            Console.WriteLine($"  device-check      guest {guest.GetProperty("user_id")} with {guest.GetProperty("credits_remaining")} credits");
            var pushToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            await PostAsync(client, "/register-push-token", new { token = pushToken });
            var models = await client.GetFromJsonAsync<JsonElement>("/get-models");
            var model = models.GetProperty("models").EnumerateArray().First(candidate => candidate.GetProperty("category").GetString() == "text_to_video");
            Console.WriteLine($"  get-models        {models.GetProperty("models").GetArrayLength()} on offer; choosing {model.GetProperty("name")}");
            client.DefaultRequestHeaders.Add("Idempotency-Key", Guid.NewGuid().ToString());
            var job = await PostAsync(client, "/generate-video", new { model_id = model.GetProperty("id").GetString(), prompt });
            client.DefaultRequestHeaders.Remove("Idempotency-Key");
            var jobId = job.GetProperty("job_id").GetString();
            Console.WriteLine($"  generate-video    job {jobId}, {job.GetProperty("credits_used")} credits");
            var last = await WatchAsync(client, jobId!);
            if (last.GetProperty("status").GetString() != "completed")
            {
                await Console.Error.WriteLineAsync($"The demo video failed: {last.GetProperty("error_code")} {last.GetProperty("error_message")}");
                return 1;
            }
            var url = last.GetProperty("video_url").GetString()!;
            using var piece = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(0, 99) } };
            using var answer = await client.SendAsync(piece);
            Console.WriteLine(
                $"  video             {answer.Content.Headers.ContentType}, {answer.Content.Headers.ContentRange?.Length} bytes, range answer {(int)answer.StatusCode}"
            );
            var credits = await client.GetFromJsonAsync<JsonElement>("/get-user-credits");
            Console.WriteLine($"  credits left      {credits.GetProperty("credits_remaining")}");
            await ShowPushAsync(simulators, pushToken);
            await ShowPurchaseAsync(client, simulators, guest.GetProperty("user_id").GetString()!);
            Console.WriteLine($"Video: {url}");
            return (int)answer.StatusCode == 206 ? 0 : 1;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
        {
            await Console.Error.WriteLineAsync($"The demo could not be played: {error.Message}");
            return 1;
        }
    }

    private static async Task ShowPushAsync(string simulators, string token)
    {
        using var apple = new HttpClient { BaseAddress = new Uri(simulators) };
        for (var poll = 0; poll < MaxPolls; poll++)
        {
            var arrived = (await apple.GetFromJsonAsync<JsonElement>("/_control/apns/notifications")).GetProperty("notifications").EnumerateArray();
            var push = arrived.FirstOrDefault(one => one.GetProperty("token").GetString() == token);
            if (push.ValueKind == JsonValueKind.Object)
            {
                Console.WriteLine(
                    $"  push              {push.GetProperty("payload").GetProperty("aps").GetProperty("alert").GetProperty("loc-key")} rings the phone"
                );
                return;
            }
            await Task.Delay(PollMilliseconds);
        }
        Console.WriteLine("  push              none came");
    }

    /// <summary>Somebody buys a pack, reports it twice, and gets their money back.</summary>
    private static async Task ShowPurchaseAsync(HttpClient client, string simulators, string userId)
    {
        using var apple = new HttpClient { BaseAddress = new Uri(simulators) };
        var bought = await PostAsync(
            apple,
            "/_control/appstore/purchases",
            new
            {
                product_id = "com.rendioai.credits.starter.25",
                app_account_token = userId,
                notify = false,
            }
        );
        var report = new { signed_transaction = bought.GetProperty("signed_transaction").GetString() };
        var first = await PostAsync(client, "/update-credits", report);
        var again = await PostAsync(client, "/update-credits", report);
        Console.WriteLine(
            $"  purchase          {first.GetProperty("credits_added")} credits bought, {first.GetProperty("credits_remaining")} in all; reported again: {again.GetProperty("credits_added")} more"
        );
        await PostAsync(apple, "/_control/appstore/refunds", new { transaction_id = bought.GetProperty("transaction_id").GetString() });
        var before = first.GetProperty("credits_remaining").GetInt32();
        for (var poll = 0; poll < MaxPolls; poll++)
        {
            var now = (await client.GetFromJsonAsync<JsonElement>("/get-user-credits")).GetProperty("credits_remaining").GetInt32();
            if (now != before)
            {
                Console.WriteLine($"  refund            Apple takes the purchase back: {now} credits left");
                return;
            }
            await Task.Delay(PollMilliseconds);
        }
        Console.WriteLine("  refund            did not arrive");
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body)
    {
        using var response = await client.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement
            : throw new HttpRequestException($"{path} answered {(int)response.StatusCode}: {text}");
    }

    private static async Task<JsonElement> WatchAsync(HttpClient client, string jobId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={jobId}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        JsonElement last = default;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                last = JsonDocument.Parse(line[6..]).RootElement;
                Console.WriteLine($"  live progress     {last.GetProperty("status")}");
            }
        }
        return last;
    }
}
