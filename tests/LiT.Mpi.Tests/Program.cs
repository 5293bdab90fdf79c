using LiT.Mpi.Tests;

// The tests start this program again under mpirun, as each of the processes of a job.
if (args is ["worker", var what])
    return Worker.Run(what);
if (args.Any(argument => argument is "--server" or "--internal-msbuild-node"))
    return await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(
        args,
        SelfRegisteredExtensions.AddSelfRegisteredExtensions
    );
return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
