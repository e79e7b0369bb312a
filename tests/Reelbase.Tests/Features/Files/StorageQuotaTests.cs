using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform.Http;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A disk with too little room takes no uploads and loses nobody's video.</summary>
public sealed class StorageQuotaTests(StorageQuotaTests.ShortOfDisk system) : IClassFixture<StorageQuotaTests.ShortOfDisk>
{
    /// <summary>A product that wants more free space than any disk has.</summary>
    public sealed class ShortOfDisk : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new() { ["Storage:MinFreeDiskMegabytes"] = "2147483647", ["Generation:RetryCapSeconds"] = "1" };
    }

    [Fact]
    public async Task Uploads_are_refused_in_the_callers_language_and_finished_videos_wait_past_their_deadline_with_one_alert()
    {
        await UtcTime.SameDayAsync();
        var phone = await system.NewGuestAsync(100);
        phone.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd("tr");
        for (var at = 0; at < 2; at++)
        {
            var answer = await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/{at}.jpg", Pictures.Jpeg(), "image/jpeg");
            UploadTests.AssertRefused(answer, 503, "insufficient_storage");
            Assert.StartsWith("Dosyalara", answer["message"].GetString(), StringComparison.Ordinal);
            Assert.Equal("600", answer.Raw.Headers.GetValues("Retry-After").Single());
        }
        Assert.Equal(("degraded", "disk_short"), await ReadyAsync());

        var credits = await phone.CreditsAsync();
        var accepted = await phone.GenerateAsync("Waits for a disk");
        var job = accepted["job_id"].GetString();
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"), stage => stage == "fetching");
        await system.ExecuteAsync(
            $"update video_jobs set deadline_at = now() - interval '1 minute', run_after = now(), lease_until = null, leased_by = null where job_id = '{job}'"
        );
        await Eventually.IsAsync(() => system.QueryAsync<bool>($"select deadline_at > now() from video_jobs where job_id = '{job}'"), later => later);
        Assert.Equal("fetching", await system.QueryAsync<string>($"select stage from video_jobs where job_id = '{job}'"));
        Assert.Equal(1L, await system.QueryAsync<long>("select count(*) from alerts where kind = 'storage_space' and dedupe_key like 'disk:%'"));

        system.Server.Services.GetRequiredService<IOptions<StorageOptions>>().Value.MinFreeDiskMegabytes = 0;
        await system.ExecuteAsync($"update video_jobs set run_after = now() where job_id = '{job}'");
        await Eventually.IsAsync(() => system.QueryAsync<string>($"select status from video_jobs where job_id = '{job}'"), status => status == "completed");
        Assert.Equal(credits - accepted["credits_used"].GetInt32(), await phone.CreditsAsync());
        await Eventually.IsAsync(ReadyAsync, ready => ready == ("ready", "ok"));
        var taken = await UploadTests.SendAsync(phone, HttpMethod.Post, $"uploads/{phone.UserId}/x.jpg", Pictures.Jpeg(), "image/jpeg");
        Assert.Equal(HttpStatusCode.OK, taken.Status);
    }

    [Fact]
    public async Task A_disk_that_is_full_in_the_middle_of_a_download_is_not_taken_for_a_fault_of_the_provider()
    {
        var downloader = system.Server.Services.GetRequiredService<FileDownloader>();
        // Linux's own file that is always full.
        var error = await Record.ExceptionAsync(() =>
            downloader.DownloadAsync($"{system.SimulatorsUrl}/_control/fal/requests", [], "/dev/full", CancellationToken.None)
        );
        Assert.True(error is IOException && PrivateFiles.IsDiskFull(error), error?.ToString());
    }

    [Theory]
    [InlineData("image/jpeg", "")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n")]
    public async Task A_disk_that_is_full_in_the_middle_of_an_upload_is_not_taken_for_a_form_that_cannot_be_read(string type, string before)
    {
        var error = await Eventually.IsAsync<Exception?>(
            () =>
            {
                var context = new DefaultHttpContext();
                context.Request.ContentType = type;
                context.Request.Body = new MemoryStream([.. Encoding.ASCII.GetBytes(before), .. Pictures.Jpeg(padding: 200_000), .. "\r\n--b--\r\n"u8]);
                return Record.ExceptionAsync(() => UploadBody.ReadAsync(context, "/dev/full", new UploadsOptions())).AsTask();
            },
            // Whoever else writes to that file at the moment keeps it.
            seen => seen is not IOException || PrivateFiles.IsDiskFull(seen)
        );
        Assert.True(error is IOException && PrivateFiles.IsDiskFull(error), error?.ToString());
    }

    private async Task<(string?, string?)> ReadyAsync()
    {
        using var nobody = system.Anybody();
        var answer = await nobody.GetFromJsonAsync<JsonElement>("/health/ready");
        return (answer.GetProperty("status").GetString(), answer.GetProperty("room").GetString());
    }
}
