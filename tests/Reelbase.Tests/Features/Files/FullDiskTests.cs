using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A disk that had room enough and is full when a file is stored: videos come later, pictures are refused, and nothing half-written stays.</summary>
public sealed class FullDiskTests(FullDiskTests.Full system) : IClassFixture<FullDiskTests.Full>
{
    /// <summary>A product whose store says of one user's files what a full disk says, as long as a test wants, beside a moderation service that checks pictures.</summary>
    public sealed class Full : TestSystem
    {
        /// <summary>How often a file was refused.</summary>
        public int Refused => Volatile.Read(ref _refused);

        private volatile bool _isFull;
        private int _refused;

        protected override Dictionary<string, string?> Settings =>
            new() { ["Moderation:ServiceUrl"] = $"{SimulatorsUrl}/moderation", ["Generation:RetryCapSeconds"] = "1" };

        protected override void MapMore(WebApplication simulators)
        {
            simulators.MapPost("/moderation", () => Results.Json(new { results = new[] { new { flagged = false } } }));
            simulators.MapGet("/foreign/{name}", () => Results.Bytes(Pictures.Jpeg(1280, 720), "image/jpeg"));
        }

        protected override void Bring(IServiceCollection services) =>
            services.AddSingleton<IFileStore>(provider => new Store(ActivatorUtilities.CreateInstance<LocalFileStore>(provider), this));

        /// <summary>The disk is full until the test is over.</summary>
        public Planted Fill()
        {
            _isFull = true;
            return new(() =>
            {
                _isFull = false;
                return Task.CompletedTask;
            });
        }

        /// <summary>Files in the making and in the store.</summary>
        public List<string> Files() =>
            [
                .. Directory
                    .EnumerateFiles(Path.Combine(DataDirectory, "storage"), "*", SearchOption.AllDirectories)
                    .Where(file => !Path.GetFileName(file).StartsWith("reelbase-", StringComparison.Ordinal)),
            ];

        private sealed class Store(IFileStore inner, Full system) : IFileStore
        {
            public Task PutAsync(string bucket, string name, string sourcePath, string contentType, CancellationToken cancellationToken)
            {
                if (system._isFull)
                {
                    Interlocked.Increment(ref system._refused);
                    // ENOSPC, as .NET says it.
                    throw new IOException("No space left on device", 28);
                }
                return inner.PutAsync(bucket, name, sourcePath, contentType, cancellationToken);
            }

            public Task<Stream?> OpenAsync(string bucket, string name, CancellationToken cancellationToken) => inner.OpenAsync(bucket, name, cancellationToken);

            public Task<bool> ExistsAsync(string bucket, string name, CancellationToken cancellationToken) =>
                inner.ExistsAsync(bucket, name, cancellationToken);

            public Task DeleteAsync(string bucket, string name, CancellationToken cancellationToken) => inner.DeleteAsync(bucket, name, cancellationToken);

            public IAsyncEnumerable<StoredFile> ListAsync(string afterBucket, string afterName, CancellationToken cancellationToken) =>
                inner.ListAsync(afterBucket, afterName, cancellationToken);

            public Task<string?> ReadMarkerAsync(CancellationToken cancellationToken) => inner.ReadMarkerAsync(cancellationToken);

            public Task WriteMarkerAsync(string installation, CancellationToken cancellationToken) => inner.WriteMarkerAsync(installation, cancellationToken);

            public Task SweepAsync(TimeSpan age, CancellationToken cancellationToken) => inner.SweepAsync(age, cancellationToken);

            public string NewTemporaryPath() => inner.NewTemporaryPath();
        }
    }

    [Fact]
    public async Task A_finished_video_comes_when_there_is_room_and_its_user_loses_nothing()
    {
        var phone = await system.NewGuestAsync(100);
        var credits = await phone.CreditsAsync();
        string job;
        int used;
        await using (system.Fill())
        {
            var before = system.Refused;
            var accepted = await phone.GenerateAsync("Waits for room");
            (job, used) = (accepted["job_id"].GetString()!, accepted["credits_used"].GetInt32());
            // More often than a provider's own fault would be tried.
            for (var times = 1; times <= 4; times++)
            {
                await Eventually.IsAsync(() => Task.FromResult(system.Refused), refused => refused >= before + times);
                await system.ExecuteAsync($"update video_jobs set run_after = now() where job_id = '{job}' and lease_until is null");
            }
            Assert.Equal("fetching", await system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"));
            Assert.DoesNotContain(system.Files(), file => file.Contains(job, StringComparison.Ordinal));
            Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from storage_objects where job_id = '{job}' and state = 'stored'"));
            await AssertAlertAsync();
        }
        await system.ExecuteAsync($"update video_jobs set run_after = now() where job_id = '{job}'");
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        Assert.Equal(credits - used, await phone.CreditsAsync());
        var size = await system.QueryAsync<long>($"select size_bytes from storage_objects where job_id = '{job}' and bucket = 'videos' and state = 'stored'");
        Assert.Equal(size, new FileInfo(system.Files().Single(file => file.EndsWith($"{job}.mp4", StringComparison.Ordinal))).Length);
        await Eventually.IsAsync(() => Task.FromResult(Making()), making => making == 0);
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_upload_is_refused_with_a_time_to_try_again_and_nothing_of_it_stays(bool isForm)
    {
        var phone = await system.NewGuestAsync(100);
        var name = $"uploads/{phone.UserId}/a.jpg";
        Task<ApiResponse> SendAsync() =>
            isForm
                ? UploadTests.SendAsync(phone, HttpMethod.Post, name, Form(Pictures.Jpeg()), "multipart/form-data; boundary=b")
                : UploadTests.SendAsync(phone, HttpMethod.Post, name, Pictures.Jpeg(), "image/jpeg");
        await using (system.Fill())
        {
            var answer = await SendAsync();
            UploadTests.AssertRefused(answer, 503, "insufficient_storage");
            Assert.Equal("600", answer.Raw.Headers.GetValues("Retry-After").Single());
            await AssertNothingAsync(phone);
            await AssertAlertAsync();
        }
        Assert.Equal(HttpStatusCode.OK, (await SendAsync()).Status);
    }

    [Fact]
    public async Task A_press_whose_picture_cannot_be_copied_is_refused_before_anything_is_charged_and_goes_through_later()
    {
        var phone = await system.NewGuestAsync(1000);
        var (credits, key) = (await phone.CreditsAsync(), Guid.NewGuid());
        var body = new
        {
            model_id = Catalog.ImageModel,
            prompt = "A kite",
            image_url = $"{system.SimulatorsUrl}/foreign/{phone.UserId}.jpg",
        };
        await using (system.Fill())
        {
            var refused = await phone.PostAsync("/generate-video", body, key);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "ERR_6002"), (refused.Status, refused.Code));
            Assert.Equal("disk_short", refused["error"].GetProperty("details").GetProperty("reason").GetString());
            Assert.Equal(credits, await phone.CreditsAsync());
            await AssertNothingAsync(phone);
            await AssertAlertAsync();
        }
        var accepted = await phone.PostAsync("/generate-video", body, key);
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
    }

    /// <summary>Nothing is in the making, and what was announced is given up.</summary>
    private async Task AssertNothingAsync(Phone phone)
    {
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from uploads where user_id = '{phone.UserId}'"));
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from storage_objects where user_id = '{phone.UserId}'"), rows => rows == 0);
        Assert.Equal(0, Making());
    }

    private async Task AssertAlertAsync()
    {
        Assert.Contains(
            await system.RowsAsync("select message from alerts where kind = 'storage_space' and dedupe_key like 'disk_full:%'"),
            text => text.Contains("Make room, raise the quota, or move Server:DataDirectory to a larger disk.", StringComparison.Ordinal)
        );
    }

    private int Making() =>
        system.Files().Count(file => file.Contains($"{Path.DirectorySeparatorChar}.tmp{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    private static byte[] Form(byte[] picture) =>
        [
            .. Encoding.ASCII.GetBytes("--b\r\nContent-Disposition: form-data; name=\"\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"),
            .. picture,
            .. Encoding.ASCII.GetBytes("\r\n--b--\r\n"),
        ];
}
