;; Writes the selected audio of the current track, without effects, and notes about it into the folder
;; stemdock-inbox. Audacity evaluates this once for each selected track.

(setf *float-format* "%.17g")

(defun stemdock-write (name lines)
  (let ((file (open (strcat stemdock-inbox name) :direction :output)))
    (dolist (line lines) (format file "~a ~a~%" (first line) (second line)))
    (close file)))

;; Audacity counts selected tracks only; this is the place among all tracks.
(defun stemdock-place ()
  (nth (1- (get '*track* 'index)) (get '*selection* 'tracks)))

(defun stemdock-last-track ()
  (= (get '*track* 'index) (length (get '*selection* 'tracks))))

(defun stemdock-capture ()
  (let ((name (format nil "track-~a" (stemdock-place)))
        (sound *track*))
    ;; Only one variable may refer to the sound, or Nyquist keeps all its samples in memory.
    (setf *track* nil)
    ;; WAV, 32-bit float, no byte swapping, no playback.
    (snd-save '(prog1 sound (setf sound nil)) (truncate len)
              (strcat stemdock-inbox name ".wav") 4 4 32 0 nil 0)
    (stemdock-write (strcat name ".txt")
      (list (list "index" (stemdock-place))
            (list "rate" (get '*track* 'rate))
            (list "channels" (get '*track* 'channels))
            (list "length" (truncate len))
            (list "selection-start" (get '*selection* 'start))
            (list "selection-end" (get '*selection* 'end))
            (list "track-start" (get '*track* 'start-time))
            (list "track-end" (get '*track* 'end-time))
            (list "name" (get '*track* 'name))))))

(defun stemdock-write-request (lines)
  (stemdock-write "request.txt"
    (append lines
            (list (list "audacity" (get '*audacity* 'version))
                  (list "project-rate" (get '*project* 'rate)))
            (mapcar #'(lambda (index) (list "track" index)) (get '*selection* 'tracks)))))
