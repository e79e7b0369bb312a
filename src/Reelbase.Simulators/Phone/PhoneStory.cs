using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Reelbase.Simulators.Phone;

/// <summary>A pretend phone: takes one first guest through the whole story and tells each step.</summary>
public static class PhoneStory
{
    /// <summary>Tells the story against a server.</summary>
    /// <returns>0 when the video plays.</returns>
    public static async Task<int> TellAsync(string server, string prompt)
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
            Console.WriteLine($"Video: {url}");
            return (int)answer.StatusCode == 206 ? 0 : 1;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
        {
            await Console.Error.WriteLineAsync($"The demo could not be told: {error.Message}");
            return 1;
        }
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
