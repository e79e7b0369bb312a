using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Reelbase.Client;
using Reelbase.Client.Generated.Models;
using Reelbase.Server.Platform.Errors;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance;

/// <summary>The .NET client against a running server, over HTTP and over lines that lose responses and break streams.</summary>
public sealed class DotnetClientTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task The_sample_of_its_page_runs()
    {
        var deviceId = Guid.NewGuid().ToString();
        var deviceCheckToken = Phone.TokenOf(deviceId);
        var (serverUrl, sessionStore, picture) = (new Uri(system.Url), new MemorySessionStore(), new MemoryStream(Pictures.Jpeg()));
        var shown = new List<string?>();
        void Render(JobStatusAnswer status) => shown.Add(status.Status);
        void OfferCredits(int required) => shown.Add($"offered for {required}");
        void Show(UploadProgress progress) => Assert.InRange(progress.Sent, 0, progress.Total);

        // The sample begins here.
        var options = new ReelbaseOptions
        {
            Url = serverUrl,
            Language = "tr",
            SessionStore = sessionStore,
        };
        using var reelbase = new ReelbaseClient(options);
        await reelbase.CheckDeviceAsync(new DeviceCheckRequest { DeviceId = deviceId, DeviceToken = deviceCheckToken });

        var imageUrl = await reelbase.UploadPictureAsync("boat.jpg", picture, "image/jpeg", new Progress<UploadProgress>(Show));
        var models = await reelbase.Api.GetModels.GetAsync();
        var model = models!.Models!.First(each => each.Category == "image_to_video" && each.CostPerGeneration <= 10);
        var request = new GenerateVideoRequest
        {
            ModelId = model.Id.ToString(),
            Prompt = "A paper boat",
            ImageUrl = imageUrl,
        };
        try
        {
            var job = await reelbase.GenerateVideoAsync(request);
            await foreach (var status in reelbase.WatchJobAsync(job.JobId!.Value))
            {
                Render(status);
            }
        }
        catch (InsufficientCreditsException error)
        {
            OfferCredits(error.Details["required"].GetInt32());
        }
        // The sample ends here.

        Assert.Equal("completed", shown[^1]);
    }

    [Fact]
    [Trait("Check", "yes")]
    public void Its_page_shows_the_sample_as_it_runs()
    {
        var source = File.ReadAllLines(Repository.PathOf("tests/Reelbase.Tests/Conformance/DotnetClientTests.cs")).Select(line => line.Trim()).ToList();
        var begin = source.IndexOf("// The sample begins here.");
        var end = source.IndexOf("// The sample ends here.");
        var sample = string.Join('\n', source[(begin + 1)..end]);
        var page = string.Join('\n', File.ReadAllLines(Repository.PathOf("clients/dotnet/README.md")).Select(line => line.Trim()));
        Assert.Contains(sample, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_at_once_with_an_expired_token_refresh_once()
    {
        await using var line = await BadLine.OpenAsync(system.Url);
        var (reelbase, store) = await GuestAsync(line.Url);
        using var _ = reelbase;
        var before = await KeptAsync(store);
        await store.SaveAsync(before with { ExpiresAt = DateTimeOffset.UnixEpoch }, default);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => reelbase.Api.GetUserCredits.GetAsync()));
        Assert.Single(Refreshes(line));
        Assert.NotEqual(before.RefreshToken, (await KeptAsync(store)).RefreshToken);
    }

    [Fact]
    public async Task Calls_at_once_whose_token_the_server_refuses_refresh_once()
    {
        await using var line = await BadLine.OpenAsync(system.Url);
        var (reelbase, store) = await GuestAsync(line.Url);
        using var _ = reelbase;
        await store.SaveAsync(await KeptAsync(store) with { AccessToken = "no.such.token" }, default);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => reelbase.Api.GetUserCredits.GetAsync()));
        Assert.Single(Refreshes(line));
    }

    [Fact]
    public async Task A_refresh_whose_response_is_lost_is_repeated()
    {
        var lost = 0;
        await using var line = await BadLine.OpenAsync(system.Url, seen => IsRefresh(seen) && lost++ == 0 ? Fate.IsLost : Fate.Arrives);
        var (reelbase, store) = await GuestAsync(line.Url);
        using var _ = reelbase;
        await store.SaveAsync(await KeptAsync(store) with { ExpiresAt = DateTimeOffset.UnixEpoch }, default);
        Assert.Equal(10, (await reelbase.Api.GetUserCredits.GetAsync())!.CreditsRemaining);
        Assert.Equal(2, Refreshes(line).Count());
    }

    [Fact]
    public async Task Only_the_servers_word_ends_a_session()
    {
        await using var line = await BadLine.OpenAsync(system.Url, seen => IsRefresh(seen) ? Fate.IsLost : Fate.Arrives);
        var (reelbase, store) = await GuestAsync(line.Url);
        using var _ = reelbase;
        await store.SaveAsync(await KeptAsync(store) with { ExpiresAt = DateTimeOffset.UnixEpoch }, default);
        var lost = await Assert.ThrowsAsync<NoResponseException>(() => reelbase.Api.GetUserCredits.GetAsync());
        Assert.Equal((0, "network"), (lost.Status, lost.Code));
        Assert.NotNull(await reelbase.GetSessionAsync(TestContext.Current.CancellationToken));

        using var direct = new ReelbaseClient(new ReelbaseOptions { Url = new Uri(system.Url), SessionStore = store });
        await store.SaveAsync(await KeptAsync(store) with { RefreshToken = "nobodysToken12" }, default);
        var ended = await Assert.ThrowsAsync<SessionEndedException>(() => direct.Api.GetUserCredits.GetAsync());
        Assert.Equal("refresh_token_not_found", ended.Code);
        Assert.Null(await direct.GetSessionAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_generation_whose_response_is_lost_is_repeated_with_its_key_and_charged_once()
    {
        var lost = 0;
        await using var line = await BadLine.OpenAsync(system.Url, seen => seen.Path == "/generate-video" && lost++ < 2 ? Fate.IsLost : Fate.Arrives);
        var (reelbase, _) = await GuestAsync(line.Url);
        using var __ = reelbase;
        var job = await reelbase.GenerateVideoAsync(Sample("A kite above the sea"), cancellationToken: TestContext.Current.CancellationToken);
        var sent = line.Seen.Where(seen => seen.Path == "/generate-video").ToList();
        Assert.Equal(3, sent.Count);
        Assert.NotNull(Assert.Single(sent.Select(seen => seen.Key).Distinct()));
        Assert.Equal(10 - job.CreditsUsed, (await reelbase.Api.GetUserCredits.GetAsync())!.CreditsRemaining);
        var user = (await reelbase.GetSessionAsync(TestContext.Current.CancellationToken))!.UserId;
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{user}'"));
    }

    [Fact]
    public async Task What_has_no_key_is_sent_once()
    {
        await using var line = await BadLine.OpenAsync(system.Url, seen => seen.Path == "/update-user-settings" ? Fate.IsLost : Fate.Arrives);
        var (reelbase, _) = await GuestAsync(line.Url);
        using var __ = reelbase;
        await Assert.ThrowsAsync<NoResponseException>(() => reelbase.Api.UpdateUserSettings.PostAsync(new UpdateSettingsRequest { Language = "tr" }));
        Assert.Single(line.Seen, seen => seen.Path == "/update-user-settings");
    }

    [Fact]
    public async Task A_job_is_watched_by_the_stream()
    {
        await using var line = await BadLine.OpenAsync(system.Url);
        var (reelbase, _) = await GuestAsync(line.Url);
        using var __ = reelbase;
        Assert.Equal("completed", (await WatchAsync(reelbase, "A paper boat on a quiet lake")).Status);
        Assert.All(Watches(line), seen => Assert.Equal("text/event-stream", seen.Accept));
    }

    [Fact]
    public async Task A_stream_that_breaks_goes_on_by_polling()
    {
        await using var line = await BadLine.OpenAsync(system.Url, seen => seen.Accept == "text/event-stream" ? Fate.IsCut : Fate.Arrives);
        var (reelbase, _) = await GuestAsync(line.Url);
        using var __ = reelbase;
        Assert.Equal("completed", (await WatchAsync(reelbase, "A slow train")).Status);
        Assert.Single(Watches(line), seen => seen.Accept == "text/event-stream");
        Assert.Contains(Watches(line), seen => seen.Accept != "text/event-stream");
    }

    [Fact]
    public async Task A_job_that_is_not_the_callers_is_not_polled()
    {
        await using var line = await BadLine.OpenAsync(system.Url);
        var (reelbase, _) = await GuestAsync(line.Url);
        using var __ = reelbase;
        await Assert.ThrowsAsync<NotFoundException>(async () =>
        {
            await foreach (var status in reelbase.WatchJobAsync(Guid.NewGuid()))
            {
                Assert.Fail(status.Status);
            }
        });
        Assert.Single(Watches(line));
    }

    [Fact]
    public async Task An_upload_reports_its_progress_and_survives_a_stale_token()
    {
        var (reelbase, store) = await GuestAsync(new Uri(system.Url));
        using var _ = reelbase;
        var session = await KeptAsync(store);
        await store.SaveAsync(session with { AccessToken = "no.such.token" }, default);
        var picture = Pictures.Jpeg(padding: 200_000);
        var progress = new Steps();
        var key = await reelbase.UploadPictureAsync("cat.jpg", new MemoryStream(picture), "image/jpeg", progress);
        Assert.Equal($"uploads/{session.UserId}/cat.jpg", key);
        var steps = progress.Seen.ToList();
        Assert.Equal(new UploadProgress(picture.Length, picture.Length), steps[^1]);
        var last = steps[steps.FindLastIndex(step => step.Sent == 0)..];
        Assert.True(last.Count > 10, $"{last.Count} steps");
        Assert.Equal(last.OrderBy(step => step.Sent), last);
        var taken = await Assert.ThrowsAsync<ReelbaseException>(() => reelbase.UploadPictureAsync("cat.jpg", new MemoryStream(picture), "image/jpeg"));
        Assert.Equal(409, taken.Status);
        Assert.Equal(key, await reelbase.UploadPictureAsync("cat.jpg", new MemoryStream(picture), "image/jpeg", replace: true));
    }

    [Fact]
    public async Task The_servers_errors_have_types_and_its_words()
    {
        var (reelbase, _) = await GuestAsync(new Uri(system.Url), "tr");
        using var __ = reelbase;
        var model = await Assert.ThrowsAsync<ModelNotFoundOrNotAvailableException>(() =>
            reelbase.GenerateVideoAsync(new GenerateVideoRequest { ModelId = Guid.NewGuid().ToString(), Prompt = "A paper boat" })
        );
        Assert.Equal((404, "ERR_4002"), (model.Status, model.Code));
        Assert.Equal(ErrorCatalog.Find("ERR_4002").Tr, model.Message);
        Assert.False(string.IsNullOrEmpty(model.RequestId));
        await reelbase.GenerateVideoAsync(Sample("The first of two"));
        var poor = await Assert.ThrowsAsync<InsufficientCreditsException>(() => reelbase.GenerateVideoAsync(Sample("The second of two")));
        Assert.Equal((8, 2), (poor.Details["required"].GetInt32(), poor.Details["available"].GetInt32()));
        await Assert.ThrowsAsync<UnauthorizedException>(() => new ReelbaseClient(new() { Url = new Uri(system.Url) }).Api.GetUserCredits.GetAsync());
    }

    [Fact]
    public async Task Each_error_of_the_catalogue_has_a_type_of_its_name()
    {
        ErrorEntry? next = null;
        await using var server = await AnsweringAsync(context =>
        {
            var entry = next!;
            context.Response.StatusCode = entry.Status;
            return context.Response.WriteAsJsonAsync(
                new
                {
                    error = new
                    {
                        code = entry.Code,
                        message = entry.En,
                        details = new { },
                        trace_id = "t",
                    },
                }
            );
        });
        using var reelbase = new ReelbaseClient(new() { Url = new Uri(TestSystem.AddressOf(server)), MaxAttempts = 1 });
        foreach (var entry in ErrorCatalog.All)
        {
            next = entry;
            var error = await Assert.ThrowsAnyAsync<ReelbaseException>(() => reelbase.Api.GetUserProfile.GetAsync());
            var words = (entry.Meaning.StartsWith("the ", StringComparison.Ordinal) ? entry.Meaning[4..] : entry.Meaning).Split(' ');
            Assert.Equal(string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..])) + "Exception", error.GetType().Name);
            Assert.Equal((entry.Code, entry.Status, entry.En), (error.Code, error.Status, error.Message));
        }
    }

    [Fact]
    public async Task Retry_After_is_kept_and_a_long_one_is_an_error_at_once()
    {
        var (calls, wait) = (0, "0");
        await using var busy = await AnsweringAsync(async context =>
        {
            context.Response.ContentType = "application/json";
            if (++calls < 3)
            {
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = wait;
                await context.Response.WriteAsync("""{"error":{"code":"ERR_4004","message":"busy","details":{},"trace_id":"t"}}""");
                return;
            }
            await context.Response.WriteAsync($$"""{"job_id":"{{Guid.Empty}}","status":"pending","credits_used":1}""");
        });
        using var reelbase = new ReelbaseClient(new() { Url = new Uri(TestSystem.AddressOf(busy)) });
        Assert.Equal(Guid.Empty, (await reelbase.GenerateVideoAsync(Sample("x"))).JobId);
        Assert.Equal(3, calls);
        (calls, wait) = (0, "3600");
        var error = await Assert.ThrowsAsync<RateLimitExceededException>(() => reelbase.GenerateVideoAsync(Sample("x")));
        Assert.Equal(TimeSpan.FromHours(1), error.RetryAfter);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_silent_server_is_a_timeout_and_a_cancelled_call_is_cancelled()
    {
        using var over = new CancellationTokenSource();
        await using var silent = await AnsweringAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        var url = new Uri(TestSystem.AddressOf(silent));
        using var hasty = new ReelbaseClient(
            new()
            {
                Url = url,
                Timeout = TimeSpan.FromMilliseconds(50),
                MaxAttempts = 1,
            }
        );
        var late = await Assert.ThrowsAsync<NoResponseException>(() => hasty.GenerateVideoAsync(Sample("x")));
        Assert.Equal("timeout", late.Code);
        using var patient = new ReelbaseClient(new() { Url = url });
        var pending = patient.GenerateVideoAsync(Sample("x"), cancellationToken: over.Token);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
    }

    /// <summary>Beside the committed code, so that nobody's work is overwritten.</summary>
    [Fact]
    [Trait("Check", "yes")]
    public async Task What_was_generated_is_fresh()
    {
        var fresh = Repository.PathOf($"clients/dotnet/obj/{Guid.NewGuid():N}");
        try
        {
            await NodeJs.StartAsync(Repository.PathOf("clients/dotnet"), [], "bash", "generate", fresh);
            Assert.True(
                Contents(fresh) == Contents(Repository.PathOf("clients/dotnet/Generated")),
                "clients/dotnet/Generated is stale: run ./reelbase clients"
            );
        }
        finally
        {
            if (Directory.Exists(fresh))
            {
                Directory.Delete(fresh, recursive: true);
            }
        }

        static string Contents(string folder) =>
            string.Concat(
                Directory
                    .EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
                    .Order(StringComparer.Ordinal)
                    .Select(file => $"{Path.GetRelativePath(folder, file)}\n{File.ReadAllText(file)}")
            );
    }

    private static async Task<(ReelbaseClient Client, MemorySessionStore Store)> GuestAsync(Uri url, string? language = null)
    {
        var store = new MemorySessionStore();
        var reelbase = new ReelbaseClient(
            new()
            {
                Url = url,
                Language = language,
                SessionStore = store,
                RetryBase = TimeSpan.FromMilliseconds(20),
                Timeout = Patience.Span,
            }
        );
        var device = Guid.NewGuid().ToString();
        await reelbase.CheckDeviceAsync(new DeviceCheckRequest { DeviceId = device, DeviceToken = Phone.TokenOf(device) });
        return (reelbase, store);
    }

    private static async Task<ReelbaseSession> KeptAsync(MemorySessionStore store) => (await store.LoadAsync(default))!;

    private static GenerateVideoRequest Sample(string prompt) => new() { ModelId = Catalog.FastModel, Prompt = prompt };

    private static async Task<JobStatusAnswer> WatchAsync(ReelbaseClient reelbase, string prompt)
    {
        var job = await reelbase.GenerateVideoAsync(Sample(prompt));
        JobStatusAnswer? last = null;
        await foreach (var status in reelbase.WatchJobAsync(job.JobId!.Value, new() { PollInterval = TimeSpan.FromMilliseconds(100) }))
        {
            last = status;
        }
        return last!;
    }

    private static bool IsRefresh(SeenRequest seen) => seen.Path == "/auth/v1/token";

    private static IEnumerable<SeenRequest> Refreshes(BadLine line) => line.Seen.Where(IsRefresh);

    private static IEnumerable<SeenRequest> Watches(BadLine line) => line.Seen.Where(seen => seen.Path == "/get-video-status");

    private static async Task<WebApplication> AnsweringAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(TestSystem.AnyPort);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    private sealed class Steps : IProgress<UploadProgress>
    {
        public ConcurrentQueue<UploadProgress> Seen { get; } = [];

        public void Report(UploadProgress value) => Seen.Enqueue(value);
    }
}
